"""The statement of an account, with the caller's own last requests in it."""

import asyncio

import pytest

from adapters.outbound.postgres.builds.project_log import Projector
from adapters.outbound.postgres.read.reads import postgres_reads
from application.reads.accounts import AccountRecord
from application.reads.statements import Statement
from application.show_statement import ShowStatement
from domain.errors import DomainError
from tests.adapters.postgres_projections.asking import pool_of
from tests.adapters.postgres_projections.projecting import running
from tests.databases import Database
from tests.projections.append_events import append_events
from tests.projections.story import halves, wild_story


def show(database: Database, account_id: str, limit: int = 1_000) -> tuple[AccountRecord, Statement]:
    async def showing() -> tuple[AccountRecord, Statement]:
        async with pool_of(database) as pool:
            return await ShowStatement(postgres_reads(pool))(account_id, limit)

    return asyncio.run(showing())


def test_it_waits_for_what_was_just_written(database: Database) -> None:
    before, after = halves(wild_story(51))
    append_events(database.writer, before)
    Projector(database.projector).catch_up()
    last = max(event.position for event in after if event.stream == "credit-acct-0")
    append_events(database.writer, after)
    with running(database):
        account, statement = show(database, "acct-0")
    assert (account.account_id, statement.credits.position) == ("acct-0", last)


@pytest.mark.parametrize(
    ("account_id", "limit", "code"), [("nobody", 5, "account_not_found"), ("acct-0", 0, "invalid_request")]
)
def test_what_cannot_be_told_is_refused(database: Database, account_id: str, limit: int, code: str) -> None:
    append_events(database.writer, wild_story(52, steps=5))
    Projector(database.projector).catch_up()
    with pytest.raises(DomainError) as refusal:
        show(database, account_id, limit)
    assert refusal.value.code == code
