"""Columns of read models as PostgreSQL arrays, for statements that write many rows at once."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from adapters.outbound.postgres.wire import types
from adapters.outbound.postgres.wire.array_params import ArrayParam
from adapters.outbound.postgres.wire.types import EPOCH, MICROSECOND, WireType
from projections.engine.changes import Column, SqlType


class _Encoding(NamedTuple):
    of: WireType
    encode: Callable[[Any], bytes]


def _int8(value: int) -> bytes:
    return value.to_bytes(8, "big", signed=True)


def _bool(value: bool) -> bytes:
    return b"\x01" if value else b"\x00"


def _timestamptz(value: datetime) -> bytes:
    return _int8((value - EPOCH) // MICROSECOND)


def _date(value: date) -> bytes:
    return (value - EPOCH.date()).days.to_bytes(4, "big", signed=True)


_ENCODINGS: dict[SqlType, _Encoding] = {
    "int8": _Encoding(types.INT8, _int8),
    "text": _Encoding(types.TEXT, str.encode),
    "json": _Encoding(types.JSON, str.encode),
    "bytea": _Encoding(types.BYTEA, bytes),
    "bool": _Encoding(types.BOOL, _bool),
    "timestamptz": _Encoding(types.TIMESTAMPTZ, _timestamptz),
    "date": _Encoding(types.DATE, _date),
}


def column_array(column: Column, values: Sequence[object]) -> ArrayParam:
    """`values`, None for null, as one array parameter.

    Raises: OverflowError for an integer beyond 64 bits.
    """
    of, encode = _ENCODINGS[column.sql_type]
    return ArrayParam(of, [None if value is None else encode(value) for value in values])
