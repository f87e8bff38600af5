"""Each test of a suite runs once for each of its module's SUBJECTS: the fake and the real adapter."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import msgspec
import pytest

from adapters.outbound.postgres.builds.project_log import Projector
from adapters.outbound.postgres.read.reads import postgres_reads
from application.reads.reads import Reads
from domain.log import RecordedEvent
from tests.contracts.reads.logs import Told
from tests.fakes.reads.reads import memory_reads
from tests.projections.append_events import append_events
from tests.projections.story import Log, open_account
from tests.rigs.databases import Database
from tests.rigs.postgres.asking import pool_of


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "subject" in metafunc.fixturenames:
        metafunc.parametrize("subject", list(metafunc.module.SUBJECTS))


@pytest.fixture
def log() -> Log:
    """An account with two keys."""
    log = Log()
    open_account(log, "acct", keys=2)
    return log


@pytest.fixture
async def told(subject: str, request: pytest.FixtureRequest) -> AsyncIterator[Told]:
    """Reads of a log in memory, or of PostgreSQL behind a projector; of both the noun that the module is about."""
    port, kind = request.module.PORT, request.module.SUBJECTS[subject]
    events: list[RecordedEvent] = []

    async def replayed(more: Sequence[RecordedEvent]) -> Reads:
        events.extend(more)
        return checked(memory_reads(events))

    def checked(reads: Reads) -> Reads:
        assert kind in [type(noun) for noun in msgspec.structs.astuple(reads)], f"nobody here is a {kind} for {port}"
        return reads

    if subject == "memory":
        yield replayed
        return
    database: Database = request.getfixturevalue("database")
    async with pool_of(database) as pool:

        async def projected(more: Sequence[RecordedEvent]) -> Reads:
            await asyncio.to_thread(append_events, database.writer, more)
            await asyncio.to_thread(Projector(database.projector).catch_up)
            return checked(postgres_reads(pool))

        yield projected
