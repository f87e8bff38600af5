"""Runs the queries of projections on the build of a read model that is in use."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Concatenate, ParamSpec, TypeVar

import psycopg
from psycopg.rows import TupleRow

from adapters.outbound.postgres.builds.builds_in_use import (
    AnotherBuild,
    NotBuilt,
    builds_in_use,
    guarded,
    not_built,
    unguarded,
)
from adapters.outbound.postgres.wire.connection import Pool
from projections.engine.changes import Projection
from projections.engine.reader import Reader
from projections.engine.registry import BUILDS, current_of, for_build, queries_of

ONE_SNAPSHOT = b"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"

MOST_TRIES = 3
"""Tries of a query when the build in use changes: one more after a switch, and one to spare."""

P = ParamSpec("P")
T = TypeVar("T")

Question = Callable[Concatenate[Reader, P], Awaitable[T]]
"""A function of projections/<read model>/queries.py. For a build of another version the function of the same name
in that version's queries.py runs."""


class PoolReader:
    """Queries the log or all read models on any connection of the pool."""

    def __init__(self, pool: Pool) -> None:
        """pool: autocommit connections of a role that may read schemas `read` and `ledger`; the caller opens it."""
        self.pool = pool

    async def rows(self, sql: str, parameters: Sequence[object] = ()) -> Sequence[TupleRow]:
        async with self.pool.connection() as connection:
            return await _rows(connection, sql, parameters)


class AskBuilds:
    """Queries on the pool's connections; each statement reads the build in use in its own snapshot."""

    def __init__(self, reader: PoolReader, known: Sequence[Projection] = BUILDS) -> None:
        """known: builds that this release knows how to read."""
        self._reader = reader
        self._known = tuple(known)
        self._last_used = current_of(known)

    async def ask(self, question: Question[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The answer of the build in use, one round trip per statement. Each statement is for the build that was in use
        last time; if its snapshot has another build in use, that build is queried next.

        Raises: NotBuilt, psycopg.Error.
        """
        name = _read_model_of(question)
        for _ in range(MOST_TRIES):
            build = self._last_used[name]
            reader = _GuardedReader(self._reader, build, self._known)
            try:
                return await _of_build(question, build)(reader, *args, **kwargs)
            except AnotherBuild as another:
                version = another.version
            except psycopg.errors.UndefinedTable as error:  # dropped after it was retired; or not built yet
                in_use = await builds_in_use(self._reader, self._known)
                if name not in in_use:
                    raise not_built(name) from error
                if in_use[name][0] is build:
                    raise
                version = in_use[name][0].version
            self._last_used[name] = next(b for b in self._known if (b.name, b.version) == (name, version))
        raise NotBuilt(f"the build of {name} in use changed {MOST_TRIES} times during a question")

    @asynccontextmanager
    async def one_moment(self) -> AsyncIterator["Moment"]:
        """Several queries in the same snapshot."""
        async with self._reader.pool.connection() as connection, connection.transaction():
            await connection.execute(ONE_SNAPSHOT)
            yield Moment(connection, await builds_in_use(_PinnedReader(connection), self._known))


class Moment:
    """One snapshot of all read models."""

    def __init__(self, connection: psycopg.AsyncConnection, in_use: Mapping[str, tuple[Projection, int]]) -> None:
        self._connection = connection
        self._in_use = in_use

    @property
    def position(self) -> int:
        """Position of the read model that is furthest behind."""
        return min((position for _, position in self._in_use.values()), default=0)

    async def ask(self, question: Question[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """As AskBuilds.ask. Raises: NotBuilt, psycopg.Error."""
        name = _read_model_of(question)
        if name not in self._in_use:
            raise not_built(name)
        build, _ = self._in_use[name]
        return await _of_build(question, build)(_PinnedReader(self._connection, build), *args, **kwargs)


class _GuardedReader:
    """Queries a build only if it is in use in the statement's own snapshot. Raises: AnotherBuild, NotBuilt."""

    def __init__(self, reader: Reader, build: Projection, known: tuple[Projection, ...]) -> None:
        self._reader = reader
        self._build = build
        self._known = known

    async def rows(self, sql: str, parameters: Sequence[object] = ()) -> Sequence[TupleRow]:
        found = await self._reader.rows(guarded(sql, self._build, self._known), parameters)
        return unguarded(self._build, found)


class _PinnedReader:
    """Queries on one connection; `build`, if given, is the one in use there."""

    def __init__(self, connection: psycopg.AsyncConnection, build: Projection | None = None) -> None:
        self._connection = connection
        self._build = build

    async def rows(self, sql: str, parameters: Sequence[object] = ()) -> Sequence[TupleRow]:
        return await _rows(self._connection, for_build(sql, self._build) if self._build else sql, parameters)


async def _rows(connection: psycopg.AsyncConnection, sql: str, parameters: Sequence[object]) -> Sequence[TupleRow]:
    cursor = psycopg.AsyncRawCursor(connection)
    await cursor.execute(sql.encode(), parameters or None, binary=True)
    return await cursor.fetchall()


def _read_model_of(question: Question[P, T]) -> str:
    """`credits_of` in projections.available_credit.queries is about read model "available_credit"."""
    return question.__module__.split(".")[1]


def _of_build(question: Question[P, T], build: Projection) -> Question[P, T]:
    same: Question[P, T] = getattr(queries_of(build), question.__name__)
    return same
