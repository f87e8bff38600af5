"""Ask the read models from a synchronous test."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from psycopg_pool import AsyncConnectionPool

from adapters.outbound.postgres.read.reads import postgres_reads
from application.reads.reads import Reads
from tests.rigs.databases import Database

T = TypeVar("T")


def ask(database: Database, question: Callable[[Reads], Awaitable[T]]) -> T:
    """The answer to `question`, over a pool of the writer's role, as the API has it."""

    async def asking() -> T:
        async with pool_of(database) as pool:
            return await question(postgres_reads(pool))

    return asyncio.run(asking())


def pool_of(database: Database) -> AsyncConnectionPool[Any]:
    return AsyncConnectionPool(database.writer, min_size=1, max_size=4, open=False, kwargs={"autocommit": True})
