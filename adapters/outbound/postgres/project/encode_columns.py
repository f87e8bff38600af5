"""Columns of read models as PostgreSQL arrays, for statements that write many rows at once."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from adapters.outbound.postgres.wire.array_params import ArrayParam
from projections.engine.changes import Column, SqlType

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class _Type(NamedTuple):
    array_oid: int
    element_oid: int
    encode: Callable[[Any], bytes]


def _int8(value: int) -> bytes:
    return value.to_bytes(8, "big", signed=True)


def _bool(value: bool) -> bytes:
    return b"\x01" if value else b"\x00"


def _timestamptz(value: datetime) -> bytes:
    return _int8((value - _EPOCH) // _MICROSECOND)


def _date(value: date) -> bytes:
    return (value - _EPOCH.date()).days.to_bytes(4, "big", signed=True)


_TYPES: dict[SqlType, _Type] = {
    "int8": _Type(1016, 20, _int8),
    "text": _Type(1009, 25, str.encode),
    "json": _Type(199, 114, str.encode),
    "bytea": _Type(1001, 17, bytes),
    "bool": _Type(1000, 16, _bool),
    "timestamptz": _Type(1185, 1184, _timestamptz),
    "date": _Type(1182, 1082, _date),
}


def column_array(column: Column, values: Sequence[Any]) -> ArrayParam:
    """`values`, None for null, as one array parameter.

    Raises: OverflowError for an integer beyond 64 bits.
    """
    array_oid, element_oid, encode = _TYPES[column.sql_type]
    return ArrayParam(array_oid, element_oid, [None if value is None else encode(value) for value in values])
