"""The parts that every writing process shares: the ledger, and the ports of the use cases."""

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
"""For reads beside the ledger's own: a few short queries at a time. The server has 200 for all processes."""

POOL_TIMEOUT_S = 5.0
LEDGER_CLOSE_S = 10.0
"""Queued commands are written in milliseconds, unless the database is away; then their callers have timed out."""


class Core(NamedTuple):
    """duties: tasks that must run as long as the process; if one ends, the process ends too."""

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
    """The part that appends and reads, but cannot open sealed data."""

    ledger: PostgresLedger
    reads: Reads
    pool: Pool
    duties: list[asyncio.Task[None]]


OnAppend = Callable[[int, float], None]


@asynccontextmanager
async def running_core(
    database: Database, settings: Settings, name: str, on_append: OnAppend = lambda commands, seconds: None
) -> AsyncIterator[Core]:
    """On exit, the commands queued in the ledger are written before the connections close."""
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
    """On exit, the queued commands are written before the connections close."""
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
    """Cancel the tasks and wait. An error that ended a task earlier was logged at that time."""
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
        check=AsyncConnectionPool.check_connection,  # a connection lost with the server must not fail a request
    )
    await pool.open()
    try:
        yield pool
    finally:
        await pool.close()
