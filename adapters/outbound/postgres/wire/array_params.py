"""Encodes arrays in PostgreSQL's binary wire format, joined in one go.

psycopg dumps lists element by element in Python; an append has a dozen arrays, and this is its hottest client code.
Format: https://www.postgresql.org/docs/18/arrays.html and array_recv in the server (checked 2026-11-22):
dimensions, has-null flag, element oid, length, lower bound, then length-prefixed elements.
"""

import struct
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from psycopg import adapters, pq
from psycopg.abc import AdaptContext, Buffer
from psycopg.adapt import Dumper

from adapters.outbound.postgres.wire import types
from adapters.outbound.postgres.wire.types import WireType

_HEADER = struct.Struct("!iiIii")
_EMPTY = struct.Struct("!iiI")
_LENGTH = struct.Struct("!i")
_LENGTH_1, _LENGTH_4, _LENGTH_8, _LENGTH_16 = (_LENGTH.pack(size) for size in (1, 4, 8, 16))
_NULL = _LENGTH.pack(-1)


class ArrayParam:
    """An encoded array and the oid of its type."""

    __slots__ = ("array_oid", "data")

    def __init__(self, of: WireType, elements: Sequence[bytes | None]) -> None:
        """Elements of any length, None for null."""
        self.array_oid = of.array_oid
        self.data = _array(of.oid, elements)

    @classmethod
    def of_fixed(cls, of: WireType, length: bytes, elements: Sequence[bytes]) -> "ArrayParam":
        """The same for elements of one length without nulls, in a fraction of the time."""
        param = cls.__new__(cls)
        element_oid, param.array_oid = of
        count = len(elements)
        param.data = (
            _HEADER.pack(1, 0, element_oid, count, 1) + length + length.join(elements)
            if count
            else _EMPTY.pack(0, 0, element_oid)
        )
        return param


def _array(element_oid: int, elements: Sequence[bytes | None]) -> bytes:
    if not elements:
        return _EMPTY.pack(0, 0, element_oid)
    pack = _LENGTH.pack
    parts = [_HEADER.pack(1, int(None in elements), element_oid, len(elements), 1)]
    for element in elements:
        if element is None:
            parts.append(_NULL)
        else:
            parts.append(pack(len(element)))
            parts.append(element)
    return b"".join(parts)


def int4s(values: Sequence[int]) -> ArrayParam:
    return ArrayParam.of_fixed(types.INT4, _LENGTH_4, [value.to_bytes(4, "big", signed=True) for value in values])


def int8s(values: Sequence[int]) -> ArrayParam:
    return ArrayParam.of_fixed(types.INT8, _LENGTH_8, [value.to_bytes(8, "big", signed=True) for value in values])


def bools(values: Sequence[bool]) -> ArrayParam:
    return ArrayParam.of_fixed(types.BOOL, _LENGTH_1, [b"\x01" if value else b"\x00" for value in values])


def texts(values: Sequence[str]) -> ArrayParam:
    return ArrayParam(types.TEXT, [value.encode() for value in values])


def byteas(values: Sequence[bytes]) -> ArrayParam:
    return ArrayParam(types.BYTEA, values)


def uuids(values: Sequence[bytes]) -> ArrayParam:
    """Each as its 16 bytes."""
    return ArrayParam.of_fixed(types.UUID, _LENGTH_16, values)


def uuids_or_nulls(values: Sequence[UUID | None]) -> ArrayParam:
    if None in values:
        return ArrayParam(types.UUID, [None if value is None else value.bytes for value in values])
    return uuids([value.bytes for value in values if value is not None])


def timestamps(values: Sequence[datetime]) -> ArrayParam:
    return ArrayParam.of_fixed(
        types.TIMESTAMPTZ, _LENGTH_8, [_microseconds(value).to_bytes(8, "big", signed=True) for value in values]
    )


def _microseconds(value: datetime) -> int:
    since = value - types.EPOCH
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
