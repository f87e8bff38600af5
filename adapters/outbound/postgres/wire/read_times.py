"""Reads times of the database without ever failing: PostgreSQL's calendar is longer than Python's."""

from datetime import UTC, datetime, timedelta

import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import AdaptersMap, Loader
from psycopg.pq import Format

from adapters.outbound.postgres.wire.types import EPOCH, MICROSECOND, TIMESTAMPTZ

_FIRST_US = (datetime.min.replace(tzinfo=UTC) - EPOCH) // MICROSECOND
_LAST_US = (datetime.max.replace(tzinfo=UTC) - EPOCH) // MICROSECOND


class TotalTimestamptzLoader(Loader):
    """Reads a timestamptz in UTC; a time beyond Python's calendar, or infinity, becomes the calendar's nearer end."""

    format = Format.BINARY

    def load(self, data: Buffer) -> datetime:
        microseconds = int.from_bytes(data, "big", signed=True)
        return EPOCH + timedelta(microseconds=min(max(microseconds, _FIRST_US), _LAST_US))


class _Context:
    """psycopg.abc.AdaptContext."""

    def __init__(self) -> None:
        self.adapters = AdaptersMap(psycopg.adapters)
        self.adapters.register_loader(TIMESTAMPTZ.oid, TotalTimestamptzLoader)

    @property
    def connection(self) -> psycopg.Connection | None:
        return None


TOTAL_TIMES = _Context()
"""The `context` of a connection that reads times this way. Queries must ask for binary results."""
