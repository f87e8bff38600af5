"""The read models as the use cases ask them (application.read_ports.ReadModels)."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import psycopg
from psycopg_pool import AsyncConnectionPool

from adapters.outbound.postgres.watch_positions import PositionWatch
from application.read_ports import (
    AccountRecord,
    Credits,
    FoundKey,
    GenerationRecord,
    KeyRecord,
    KeySpending,
    LotRecord,
    Statement,
)
from domain.account.account import ACCOUNT
from domain.credit.decider import CREDIT
from projections.api_key import queries as key_queries
from projections.available_credit import queries as credit_queries
from projections.generation import queries as generation_queries

LAST_POSITION = """
SELECT coalesce(max(e.notification_id), 0)
  FROM unnest($1::text[]) AS s (stream)
 CROSS JOIN LATERAL (
       SELECT notification_id FROM ledger.stored_events
        WHERE originator_id = s.stream ORDER BY originator_version DESC LIMIT 1) e
"""

ONE_SNAPSHOT = b"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"


class _ConnectionReader:
    def __init__(self, connection: psycopg.AsyncConnection[Any]) -> None:
        self._connection = connection

    async def rows(self, sql: str, parameters: Sequence[Any] = ()) -> Sequence[tuple[Any, ...]]:
        cursor = psycopg.AsyncRawCursor(self._connection)
        await cursor.execute(sql.encode(), parameters or None, binary=True)
        return await cursor.fetchall()


class PostgresReadModels:
    """Answers from the pool's connections, each question in one snapshot."""

    def __init__(self, pool: AsyncConnectionPool[Any]) -> None:
        """pool: autocommit connections of a role that may read schemas `read` and `ledger`; the caller opens it."""
        self._pool = pool
        self._watch = PositionWatch(self)

    async def rows(self, sql: str, parameters: Sequence[Any] = ()) -> Sequence[tuple[Any, ...]]:
        """projections.reader.Reader: one statement on any connection."""
        async with self._pool.connection() as connection:
            return await _ConnectionReader(connection).rows(sql, parameters)

    async def find_key(self, secret_hash: bytes) -> FoundKey | None:
        found = await key_queries.find_key(self, secret_hash)
        return FoundKey(*found) if found else None

    async def key(self, account_id: str, key_id: str, now: datetime) -> KeyRecord | None:
        found = await key_queries.key(self, account_id, key_id, now)
        return _key_record(found) if found else None

    async def keys(self, account_id: str, now: datetime) -> Sequence[KeyRecord]:
        return [_key_record(found) for found in await key_queries.keys(self, account_id, now)]

    async def account(self, account_id: str) -> AccountRecord | None:
        found = await key_queries.account(self, account_id)
        return AccountRecord(*found) if found else None

    async def credits(self, account_id: str) -> Credits:
        return Credits(**await credit_queries.credits_of(self, account_id))

    async def generation(self, account_id: str, generation_id: str) -> GenerationRecord | None:
        found = await generation_queries.generation(self, account_id, generation_id)
        return GenerationRecord(**found) if found else None

    async def statement(self, account_id: str, limit: int) -> Statement:
        async with self._snapshot() as reader:
            credit = await credit_queries.credits_of(reader, account_id)
            lots = await credit_queries.lots_of(reader, account_id)
            requests = await generation_queries.last_generations(reader, account_id, limit)
            standing = await reader.rows("SELECT min(position) FROM read.positions WHERE log = 0")
        return Statement(
            Credits(**credit),
            [LotRecord(**lot) for lot in lots],
            [GenerationRecord(**request) for request in requests],
            standing[0][0],
        )

    async def due_reservations(self, now: datetime, limit: int) -> Sequence[tuple[str, str]]:
        due = await credit_queries.due_reservations(self, now, limit)
        return [(account_id, reservation_id) for account_id, reservation_id in due]

    async def due_lots(self, now: datetime, limit: int) -> Sequence[tuple[str, str]]:
        due = await credit_queries.due_lots(self, now, limit)
        return [(account_id, lot_id) for account_id, lot_id in due]

    async def open_reservations(self) -> int:
        return await credit_queries.open_reservations(self)

    async def last_position_of(self, streams: Sequence[str]) -> int:
        rows = await self.rows(LAST_POSITION, [list(streams)])
        return int(rows[0][0])

    async def wait_for(self, position: int, timeout_s: float) -> bool:
        return await self._watch.wait_for(position, timeout_s)

    async def wait_for_account(self, account_id: str, timeout_s: float = 1.0) -> bool:
        last = await self.last_position_of([ACCOUNT.stream(account_id), CREDIT.stream(account_id)])
        return await self.wait_for(last, timeout_s)

    @asynccontextmanager
    async def _snapshot(self) -> AsyncIterator[_ConnectionReader]:
        """Several statements that see the same moment."""
        async with self._pool.connection() as connection, connection.transaction():
            await connection.execute(ONE_SNAPSHOT)
            yield _ConnectionReader(connection)


def _key_record(found: key_queries.KeyWithSpending) -> KeyRecord:
    return KeyRecord(found.key, KeySpending(*found.spending), found.position)
