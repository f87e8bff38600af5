"""Pins one moment of the database for several connections, for as long as a verification takes."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, count
from typing import Any, LiteralString

import psycopg

from adapters.outbound.postgres.wire.read_times import TOTAL_TIMES

PIN = b"""
SET idle_in_transaction_session_timeout = 0;
SET statement_timeout = 0;
SET cursor_tuple_fraction = 1;
SET work_mem = '64MB';
SET jit = off;
BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY
"""
"""It locks nothing and writes nothing, reads each cursor to its end, and sorts a few large tables."""

FETCH = 1_000
"""Rows in memory at a time, whatever the length of the log. Measured: with five times as many, their objects no longer
fit the processor's caches, and everything takes up to twice as long."""


@contextmanager
def pinned(info: str, snapshot: str | None = None) -> Iterator[psycopg.Connection]:
    """A connection with all statements at one moment: now, or that of an exported `snapshot`."""
    with psycopg.connect(info, autocommit=True, context=TOTAL_TIMES) as connection:
        connection.execute(PIN, prepare=False)
        if snapshot is not None:
            connection.execute("SET TRANSACTION SNAPSHOT '" + snapshot + "'")
        yield connection
        connection.execute("ROLLBACK")


EXPORT: LiteralString = "SELECT pg_export_snapshot()"


def export_snapshot(connection: psycopg.Connection) -> str | None:
    """A name that lets other connections see the same moment, while `connection` stays pinned.

    None if the server's disk is full, since the name is a file: `connection` is then pinned again, at a later moment.
    """
    try:
        row = connection.execute(EXPORT).fetchone()
    except psycopg.errors.DiskFull:
        connection.execute("ROLLBACK")
        connection.execute(PIN, prepare=False)
        return None
    return str(row and row[0])


def stream(connection: psycopg.Connection, query: bytes, page: int = FETCH) -> Iterator[Sequence[Any]]:
    """Pages of rows, in bounded memory."""
    with psycopg.ServerCursor(connection, f"stream_{next(_names)}") as cursor:
        cursor.execute(query, binary=True)
        while rows := cursor.fetchmany(page):
            yield rows


def rows_of(connection: psycopg.Connection, query: bytes) -> Iterator[Any]:
    """The same, row by row."""
    return chain.from_iterable(stream(connection, query))


_names = count()
