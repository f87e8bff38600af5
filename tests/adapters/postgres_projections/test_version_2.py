"""Version 2 of `available_credit` and `ledger_entries` beside version 1, which knows no debts and no unpaid work."""

import asyncio
from collections.abc import Sequence

import pytest

from adapters.outbound.postgres.builds.build_beside import Difference
from adapters.outbound.postgres.builds.project_log import Projector
from adapters.outbound.postgres.read.reads import postgres_reads
from application.reads.credits import Credits
from domain.credit import commands as c
from domain.credit.decider import CREDIT
from projections.engine.registry import BUILDS, NAMES, PROJECTIONS
from tests.projections.append_events import append_events
from tests.projections.story import Log, open_account, reserve, settle
from tests.projections.tables import replayed_tables, stored_tables
from tests.rigs.databases import Database
from tests.rigs.postgres.asking import pool_of
from tests.rigs.postgres.projecting import active, eventually, head, running, stands
from tests.rigs.postgres.verifying import verdict

RAISED = ("available_credit", "ledger_entries")
CURRENT = {build.name: build.version for build in PROJECTIONS}
FIRST = [build for build in BUILDS if build.version == 1]
HELD, SHORT, LEFT_UNPAID = 450_000, 2_685_000, 70_000
"""Of a told reservation: what it holds, what 5,000 tokens of output cost beyond it, and what was presumed."""


@pytest.fixture
def log(database: Database) -> Log:
    """Before the upgrade: credit, and a reservation under way; as version 1 has it."""
    log = Log()
    open_account(log, "acct")
    grant(log, "first", HELD)
    log.command(CREDIT, "acct", reserve(log, "acct", "acct-k0", "r1"))
    append_events(database.writer, log.events)
    Projector(database.projector, FIRST).catch_up()
    return log


def grant(log: Log, lot_id: str, amount_nusd: int) -> None:
    log.command(CREDIT, "acct", c.Grant(at=log.at, lot_id=lot_id, kind="purchased", amount_nusd=amount_nusd))


def afterwards(database: Database, log: Log) -> None:
    """A debt that is paid in part, and work that nobody paid."""
    before = len(log.events)
    log.command(CREDIT, "acct", settle(log, "r1", 5_000))
    grant(log, "second", 2_000_000)
    grant(log, "third", 10**7)
    log.command(CREDIT, "acct", reserve(log, "acct", "acct-k0", "r2"))
    unpaid = c.Unpaid(LEFT_UNPAID, "timed_out")
    log.command(CREDIT, "acct", c.Release(at=log.at, reservation_id="r2", reason="timed_out", unpaid=unpaid))
    assert {event.tag for event in log.events[before:]} >= {"credit.shortfall_paid.v1", "credit.work_unpaid.v1"}
    append_events(database.writer, log.events[before:])


def upgrade(database: Database) -> None:
    """This release's projector, until readers have version 2 and every build is at the head."""
    differing: list[Difference] = []
    with running(database, on_difference=differing.append):
        eventually(
            lambda: (
                bool(differing) or (active(database) == CURRENT and set(stands(database).values()) == {head(database)})
            )
        )
    assert differing == []


def credits(database: Database) -> Credits:
    async def asking() -> Credits:
        async with pool_of(database) as pool:
            return await postgres_reads(pool).credits.of_account("acct")

    return asyncio.run(asking())


def test_p4_version_2_is_built_beside_version_1_and_used_and_both_are_proven(database: Database, log: Log) -> None:
    afterwards(database, log)
    upgrade(database)
    assert stands(database) == {(build.name, build.version): len(log.events) for build in BUILDS}
    for builds in (FIRST, PROJECTIONS):
        assert stored_tables(database.owner, builds) == replayed_tables(log.events, builds)
    assert list(map(str, verdict(database).findings)) == []


def test_readers_of_version_1_see_no_debt_and_those_of_version_2_do(database: Database, log: Log) -> None:
    assert (credits(database).owed_nusd, credits(database).unpaid_work_nusd) == (0, 0)
    afterwards(database, log)
    upgrade(database)
    seen, state = credits(database), log.credit("acct")
    assert (seen.posted_nusd, seen.owed_nusd) == (state.posted_nusd, state.owed_nusd) == (2_000_000 + 10**7 - SHORT, 0)
    assert (seen.settled_nusd, seen.shortfall_nusd, seen.unpaid_work_nusd) == (HELD + SHORT, SHORT, LEFT_UNPAID)


def test_a_debt_is_seen_until_it_is_paid(database: Database, log: Log) -> None:
    log.command(CREDIT, "acct", settle(log, "r1", 5_000))
    grant(log, "second", 2_000_000)
    append_events(database.writer, log.events[len(log.events) - 4 :])
    upgrade(database)
    assert credits(database).owed_nusd == SHORT - 2_000_000
    books = dict(trial_balance(database))
    assert (books["customer:acct:owed"], sum(books.values())) == (-(SHORT - 2_000_000), 0)


def trial_balance(database: Database) -> Sequence[tuple[str, int]]:
    rows = database.sql("SELECT book, balance_nusd::text FROM read.trial_balance")
    return [(str(book), int(balance)) for book, balance in rows]


def test_only_what_version_1_cannot_know_is_left_uncompared() -> None:
    """Everything else must be equal before readers are given version 2."""
    unlike = {build.name: build.unlike for build in PROJECTIONS}
    assert {name for name in NAMES if unlike[name]} == set(RAISED)
    assert unlike["available_credit"].isdisjoint(
        {"credit_account", "credit_account.held_nusd", "credit_account.granted_nusd", "credit_lot", "open_hold"}
    )
