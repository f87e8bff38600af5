"""PostgreSQL's types in the binary wire format: oids of pg_type, and the epoch of its times.

The numbers are fixed for ever: https://github.com/postgres/postgres/blob/REL_18_STABLE/src/include/catalog/pg_type.dat.
tests/adapters/postgres/test_array_params.py compares them with psycopg's; no other module has such numbers.
"""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple


class WireType(NamedTuple):
    """oid: of the type; array_oid: of arrays of it."""

    oid: int
    array_oid: int


BOOL = WireType(16, 1000)
BYTEA = WireType(17, 1001)
INT8 = WireType(20, 1016)
INT4 = WireType(23, 1007)
TEXT = WireType(25, 1009)
JSON = WireType(114, 199)
DATE = WireType(1082, 1182)
TIMESTAMPTZ = WireType(1184, 1185)
UUID = WireType(2950, 2951)

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
"""Times are sent as microseconds, dates as days, since then."""

MICROSECOND = timedelta(microseconds=1)
