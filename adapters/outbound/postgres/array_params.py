"""Arrays as PostgreSQL's binary wire format, joined in one go.

psycopg dumps lists element by element in Python; an append has a dozen arrays, and this is its hottest client code.
Format: https://www.postgresql.org/docs/18/arrays.html and array_recv in the server (checked 2026-11-22):
dimensions, has-null flag, element oid, length, lower bound, then length-prefixed elements.
"""

import struct
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from uuid import UUID

from psycopg import adapters, pq
from psycopg.abc import AdaptContext, Buffer
from psycopg.adapt import Dumper

_HEADER = struct.Struct("!iiIii")
_LENGTH = struct.Struct("!i")
_NULL = _LENGTH.pack(-1)
_POSTGRES_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


class ArrayParam:
    """An encoded array and the oid of its type."""

    __slots__ = ("array_oid", "data")

    def __init__(self, array_oid: int, element_oid: int, elements: Sequence[bytes | None]) -> None:
        self.array_oid = array_oid
        if not elements:
            self.data = _HEADER.pack(0, 0, element_oid, 0, 0)[:12]
            return
        head = _HEADER.pack(1, int(None in elements), element_oid, len(elements), 1)
        self.data = head + b"".join(_with_lengths(elements))


def _with_lengths(elements: Iterable[bytes | None]) -> Iterable[bytes]:
    for element in elements:
        if element is None:
            yield _NULL
        else:
            yield _LENGTH.pack(len(element))
            yield element


def int4s(values: Sequence[int]) -> ArrayParam:
    return ArrayParam(1007, 23, [value.to_bytes(4, "big", signed=True) for value in values])


def int8s(values: Sequence[int]) -> ArrayParam:
    return ArrayParam(1016, 20, [value.to_bytes(8, "big", signed=True) for value in values])


def bools(values: Sequence[bool]) -> ArrayParam:
    return ArrayParam(1000, 16, [b"\x01" if value else b"\x00" for value in values])


def texts(values: Sequence[str]) -> ArrayParam:
    return ArrayParam(1009, 25, [value.encode() for value in values])


def byteas(values: Sequence[bytes]) -> ArrayParam:
    return ArrayParam(1001, 17, values)


def uuids(values: Sequence[UUID | None]) -> ArrayParam:
    return ArrayParam(2951, 2950, [None if value is None else value.bytes for value in values])


def timestamps(values: Sequence[datetime]) -> ArrayParam:
    return ArrayParam(1185, 1184, [_microseconds(value).to_bytes(8, "big", signed=True) for value in values])


def _microseconds(value: datetime) -> int:
    since = value - _POSTGRES_EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


class _ArrayDumper(Dumper):
    format = pq.Format.BINARY

    def __init__(self, cls: type, context: AdaptContext | None = None) -> None:
        super().__init__(cls, context)
        self.oid = 0

    def get_key(self, obj: ArrayParam, format: object) -> tuple[type, int]:  # type: ignore[override]
        """One dumper per array type: psycopg caches dumpers by this key and sends their oid."""
        return ArrayParam, obj.array_oid

    def upgrade(self, obj: ArrayParam, format: object) -> "_ArrayDumper":
        dumper = _ArrayDumper(ArrayParam)
        dumper.oid = obj.array_oid
        return dumper

    def dump(self, obj: ArrayParam) -> Buffer | None:
        return obj.data


adapters.register_dumper(ArrayParam, _ArrayDumper)
