"""The read models as the use cases ask them (application.reads.read_models.ReadModels)."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, TypeVar

import psycopg
from psycopg_pool import AsyncConnectionPool

from adapters.outbound.postgres.builds.builds_in_use import AnotherBuild, NotBuilt, builds_in_use, guarded, unguarded
from adapters.outbound.postgres.read.watch_positions import PositionWatch
from application.reads.accounts import AccountRecord
from application.reads.credits import Credits, LotRecord
from application.reads.generations import GenerationRecord
from application.reads.keys import FoundKey, KeyRecord, KeySpending
from application.reads.statements import Statement
from domain.account.account import ACCOUNT
from domain.credit.decider import CREDIT
from projections.api_key.queries import KeyWithSpending
from projections.engine.changes import Projection
from projections.engine.reader import Reader
from projections.engine.registry import BUILDS, current_of, for_build, queries_of

LAST_POSITION = """
SELECT coalesce(max(e.notification_id), 0)
  FROM unnest($1::text[]) AS s (stream)
 CROSS JOIN LATERAL (
       SELECT notification_id FROM ledger.stored_events
        WHERE originator_id = s.stream ORDER BY originator_version DESC LIMIT 1) e
"""

ONE_SNAPSHOT = b"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"

MOST_TRIES = 3
"""Of a question that met another build than the one it was for: one more after a switch, and one to spare."""

T = TypeVar("T")


class PostgresReadModels:
    """Answers from the pool's connections, each statement in one snapshot and from the build in use in it."""

    def __init__(self, pool: AsyncConnectionPool[Any], builds: Sequence[Projection] = BUILDS) -> None:
        """pool: autocommit connections of a role that may read schemas `read` and `ledger`; the caller opens it.

        builds: that this release knows how to read.
        """
        self._pool = pool
        self._known = tuple(builds)
        self._last_used = current_of(builds)
        self._watch = PositionWatch(self, self._known)

    async def rows(self, sql: str, parameters: Sequence[Any] = ()) -> Sequence[tuple[Any, ...]]:
        """One statement on any connection, about the log or about all read models."""
        async with self._pool.connection() as connection:
            return await _rows(connection, sql, parameters)

    async def find_key(self, secret_hash: bytes) -> FoundKey | None:
        found = await self.ask("api_key", lambda queries, reader: queries.find_key(reader, secret_hash))
        return FoundKey(*found) if found else None

    async def key(self, account_id: str, key_id: str, now: datetime) -> KeyRecord | None:
        found = await self.ask("api_key", lambda queries, reader: queries.key(reader, account_id, key_id, now))
        return _key_record(found) if found else None

    async def keys(self, account_id: str, now: datetime) -> Sequence[KeyRecord]:
        found = await self.ask("api_key", lambda queries, reader: queries.keys(reader, account_id, now))
        return [_key_record(one) for one in found]

    async def account(self, account_id: str) -> AccountRecord | None:
        found = await self.ask("api_key", lambda queries, reader: queries.account(reader, account_id))
        return AccountRecord(*found) if found else None

    async def accounts(self, after: str, limit: int) -> Sequence[AccountRecord]:
        found = await self.ask("api_key", lambda queries, reader: queries.accounts(reader, after, limit))
        return [AccountRecord(*one) for one in found]

    async def credits(self, account_id: str) -> Credits:
        found = await self.ask("available_credit", lambda queries, reader: queries.credits_of(reader, account_id))
        return Credits(**found)

    async def generation(self, account_id: str, generation_id: str) -> GenerationRecord | None:
        found = await self.ask(
            "generation", lambda queries, reader: queries.generation(reader, account_id, generation_id)
        )
        return GenerationRecord(**found) if found else None

    async def statement(self, account_id: str, limit: int) -> Statement:
        async with self._snapshot() as connection:
            in_use = await builds_in_use(_PlainReader(connection), self._known)
            credit_queries, credit_reader = _pinned(connection, in_use, "available_credit")
            generation_queries, generation_reader = _pinned(connection, in_use, "generation")
            credit = await credit_queries.credits_of(credit_reader, account_id)
            lots = await credit_queries.lots_of(credit_reader, account_id)
            requests = await generation_queries.last_generations(generation_reader, account_id, limit)
        return Statement(
            Credits(**credit),
            [LotRecord(**lot) for lot in lots],
            [GenerationRecord(**request) for request in requests],
            min(position for _, position in in_use.values()),
        )

    async def due_reservations(self, now: datetime, limit: int) -> Sequence[tuple[str, str]]:
        due = await self.ask("available_credit", lambda queries, reader: queries.due_reservations(reader, now, limit))
        return [(account_id, reservation_id) for account_id, reservation_id in due]

    async def due_lots(self, now: datetime, limit: int) -> Sequence[tuple[str, str]]:
        due = await self.ask("available_credit", lambda queries, reader: queries.due_lots(reader, now, limit))
        return [(account_id, lot_id) for account_id, lot_id in due]

    async def open_reservations(self) -> int:
        return await self.ask("available_credit", lambda queries, reader: queries.open_reservations(reader))

    async def last_position_of(self, streams: Sequence[str]) -> int:
        rows = await self.rows(LAST_POSITION, [list(streams)])
        return int(rows[0][0])

    async def wait_for(self, position: int, timeout_s: float) -> bool:
        return await self._watch.wait_for(position, timeout_s)

    async def wait_for_account(self, account_id: str, timeout_s: float = 1.0) -> bool:
        last = await self.last_position_of([ACCOUNT.stream(account_id), CREDIT.stream(account_id)])
        return await self.wait_for(last, timeout_s)

    async def ask(self, name: str, question: Callable[[Any, Reader], Awaitable[T]]) -> T:
        """The answer of the build in use, one round trip a statement: each is for the build that was in use last time,
        and says so if by its own snapshot another one is. Then that one is asked.

        Raises: NotBuilt, psycopg.Error.
        """
        for _ in range(MOST_TRIES):
            build = self._last_used[name]
            try:
                return await question(queries_of(build), _GuardedReader(self, build, self._known))
            except AnotherBuild as another:
                version = another.version
            except psycopg.errors.UndefinedTable:  # dropped after it was retired; or nothing was ever built
                in_use = await builds_in_use(self, self._known)
                if name not in in_use or in_use[name][0] is build:
                    raise
                version = in_use[name][0].version
            self._last_used[name] = next(b for b in self._known if (b.name, b.version) == (name, version))
        raise NotBuilt(f"the build of {name} in use changed {MOST_TRIES} times during a question")

    @asynccontextmanager
    async def _snapshot(self) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        """Several statements that see the same moment."""
        async with self._pool.connection() as connection, connection.transaction():
            await connection.execute(ONE_SNAPSHOT)
            yield connection


class _GuardedReader:
    """Asks a build only if it is the one in use in the statement's own snapshot. Raises: AnotherBuild, NotBuilt."""

    def __init__(self, reader: Reader, build: Projection, known: tuple[Projection, ...]) -> None:
        self._reader = reader
        self._build = build
        self._known = known

    async def rows(self, sql: str, parameters: Sequence[Any] = ()) -> Sequence[tuple[Any, ...]]:
        found = await self._reader.rows(guarded(sql, self._build, self._known), parameters)
        return unguarded(self._build, found)


class _PlainReader:
    """Asks on one connection; of a build if one is given, which is known to be the one in use there."""

    def __init__(self, connection: psycopg.AsyncConnection[Any], build: Projection | None = None) -> None:
        self._connection = connection
        self._build = build

    async def rows(self, sql: str, parameters: Sequence[Any] = ()) -> Sequence[tuple[Any, ...]]:
        return await _rows(self._connection, for_build(sql, self._build) if self._build else sql, parameters)


async def _rows(
    connection: psycopg.AsyncConnection[Any], sql: str, parameters: Sequence[Any]
) -> Sequence[tuple[Any, ...]]:
    cursor = psycopg.AsyncRawCursor(connection)
    await cursor.execute(sql.encode(), parameters or None, binary=True)
    return await cursor.fetchall()


def _pinned(
    connection: psycopg.AsyncConnection[Any], in_use: Mapping[str, tuple[Projection, int]], name: str
) -> tuple[Any, Reader]:
    """The queries of the build in use in the connection's snapshot, and who asks it. Raises: NotBuilt."""
    if name not in in_use:
        raise NotBuilt(f"read model {name} is not built yet")
    build, _ = in_use[name]
    return queries_of(build), _PlainReader(connection, build)


def _key_record(found: KeyWithSpending) -> KeyRecord:
    return KeyRecord(found.key, KeySpending(*found.spending), found.position)
