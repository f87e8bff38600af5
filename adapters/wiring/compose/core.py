"""What every process that writes shares: the ledger and what its use cases stand on."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple

from psycopg_pool import AsyncConnectionPool

from adapters.outbound.crypto.clock_and_ids import SystemClock, SystemIds
from adapters.outbound.crypto.personal_data import SealedPersonalData
from adapters.outbound.postgres.append.ledger import PostgresLedger
from adapters.outbound.postgres.read.content import PostgresAnswers, PostgresDataKeys
from adapters.outbound.postgres.read.reads import postgres_reads
from adapters.outbound.postgres.wire.connection import Pool, PromptConnection
from adapters.outbound.postgres.wire.read_times import TOTAL_TIMES
from adapters.settings.settings import Settings
from adapters.wiring.database.database import Database
from application.reads.reads import Reads
from application.write import Ports

MAX_CONNECTIONS = 8
"""For reads beside the ledger's own: a handful of short queries at a time; the server has 200 for everybody."""

POOL_TIMEOUT_S = 5.0
LEDGER_CLOSE_S = 10.0
"""What is queued is written in milliseconds, unless the database is away; then its callers have given up already."""


class Core(NamedTuple):
    """duties: tasks that must run as long as the process does; one that ends takes the process with it."""

    ledger: PostgresLedger
    personal_data: SealedPersonalData
    reads: Reads
    answers: PostgresAnswers
    clock: SystemClock
    ids: SystemIds
    pool: Pool
    duties: list[asyncio.Task[None]]

    @property
    def ports(self) -> Ports:
        return Ports(self.ledger, self.personal_data, self.reads, self.clock, self.ids)


class RunningLedger(NamedTuple):
    """What appends and reads, and opens nothing that is sealed."""

    ledger: PostgresLedger
    reads: Reads
    pool: Pool
    duties: list[asyncio.Task[None]]


OnAppend = Callable[[int, float], None]


@asynccontextmanager
async def running_core(
    database: Database, settings: Settings, name: str, on_append: OnAppend = lambda commands, seconds: None
) -> AsyncIterator[Core]:
    """On leaving, everything queued in the ledger is written before connections close."""
    secrets = database.secrets
    async with running_ledger(database, settings, name, on_append) as running:
        personal_data = SealedPersonalData(
            secrets.pepper.encode(), [key.encode() for key in secrets.keyring], PostgresDataKeys(running.pool)
        )
        answers = PostgresAnswers(running.pool)
        ledger, reads, pool, duties = running
        yield Core(ledger, personal_data, reads, answers, SystemClock(), SystemIds(), pool, duties)


@asynccontextmanager
async def running_ledger(
    database: Database, settings: Settings, name: str, on_append: OnAppend
) -> AsyncIterator[RunningLedger]:
    """On leaving, everything queued is written before connections close."""
    info = database.writer(name)
    ledger = PostgresLedger(
        info, max_queue=settings.append_queue, append_timeout_s=settings.append_timeout_s, on_append=on_append
    )
    async with _open_pool(info) as pool:
        running = asyncio.create_task(ledger.run(), name="ledger")
        try:
            yield RunningLedger(ledger, postgres_reads(pool), pool, [running])
        finally:
            await ledger.close()
            await asyncio.wait([running], timeout=LEDGER_CLOSE_S)
            await end_tasks(running)


async def end_tasks(*tasks: asyncio.Task[None]) -> None:
    """Cancel and wait; an error that ended one of them was told when it happened."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def _open_pool(info: str) -> AsyncIterator[Pool]:
    pool: Pool = AsyncConnectionPool(
        info,
        connection_class=PromptConnection,
        min_size=1,
        max_size=MAX_CONNECTIONS,
        timeout=POOL_TIMEOUT_S,
        open=False,
        kwargs={"autocommit": True, "context": TOTAL_TIMES},
        check=AsyncConnectionPool.check_connection,  # one that Postgres took with it must not fail a request
    )
    await pool.open()
    try:
        yield pool
    finally:
        await pool.close()
