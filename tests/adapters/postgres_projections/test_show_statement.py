"""The statement of an account, with the caller's own last requests in it."""

import asyncio

import pytest

from adapters.outbound.crypto.clock_and_ids import SystemClock, SystemIds
from adapters.outbound.postgres.builds.project_log import Projector
from adapters.outbound.postgres.read.reads import postgres_reads
from application.credit.show_statement import ShownStatement, ShowStatement
from application.use_cases import use_cases
from application.write import Ports
from domain.errors import DomainError
from tests.fakes.memory_ledger import MemoryLedger
from tests.fakes.memory_personal_data import MemoryPersonalData
from tests.projections.append_events import append_events
from tests.projections.story import halves, wild_story
from tests.rigs.databases import Database
from tests.rigs.postgres.asking import pool_of
from tests.rigs.postgres.projecting import running


class Unsealed(MemoryPersonalData):
    """The story's personal data is not sealed."""

    async def open(self, account_id: str, sealed: bytes) -> bytes:
        return sealed


def show(database: Database, account_id: str, limit: int = 1_000) -> ShownStatement:
    async def showing() -> ShownStatement:
        async with pool_of(database) as pool:
            reads = postgres_reads(pool)
            ports = Ports(MemoryLedger(), Unsealed(), reads, SystemClock(), SystemIds())
            return await use_cases(ports).show_statement(account_id, ShowStatement(limit))

    return asyncio.run(showing())


def test_it_waits_for_what_was_just_written(database: Database) -> None:
    before, after = halves(wild_story(51))
    append_events(database.writer, before)
    Projector(database.projector).catch_up()
    last = max(event.position for event in after if event.stream == "credit-acct-0")
    append_events(database.writer, after)
    with running(database):
        statement = show(database, "acct-0")
    assert (statement.account_id, statement.credits.position) == ("acct-0", last)


@pytest.mark.parametrize(
    ("account_id", "limit", "code"), [("nobody", 5, "account_not_found"), ("acct-0", 0, "invalid_request")]
)
def test_what_cannot_be_told_is_refused(database: Database, account_id: str, limit: int, code: str) -> None:
    append_events(database.writer, wild_story(52, steps=5))
    Projector(database.projector).catch_up()
    with pytest.raises(DomainError) as refusal:
        show(database, account_id, limit)
    assert refusal.value.code == code
