"""What application.reads.credits promises."""

import pytest

from adapters.outbound.postgres.read.credits import PostgresCreditReads
from application.reads.credits import CreditReads, Credits
from domain.credit import commands as c
from domain.credit.decider import CREDIT
from domain.pricing.quote import Quote
from tests.contracts.reads.logs import FULL, Told, credit, grant
from tests.fakes.reads.credits import MemoryCreditReads
from tests.projections.story import Log, reserve, settle, wild_story

SUBJECTS = {"memory": MemoryCreditReads, "postgres": PostgresCreditReads}
PORT = CreditReads


async def test_credits_add_up(told: Told, log: Log) -> None:
    credit(log, grant(log), reserve(log, "acct", "k", "r1"), settle(log, "r1", 100), reserve(log, "acct", "k", "r2"))
    credits = (await told(log.events)).credits
    found = await credits.of_account("acct")
    assert (found.total_credits_nusd, found.total_usage_nusd) == (10**6, 195_000)
    assert (found.posted_nusd, found.held_nusd, found.open_reservations) == (805_000, FULL, 1)
    assert found.available_nusd == log.credit("acct").available_nusd(log.at)
    assert (found.position, found.not_provable_beyond) == (len(log.events), None)


async def test_an_account_without_credit_has_zero(told: Told, log: Log) -> None:
    credits = (await told(log.events)).credits
    assert await credits.of_account("acct") == Credits(account_id="acct")


async def test_reservations_are_open_until_they_end(told: Told, log: Log) -> None:
    free = {"quote": Quote(0, 0, 0)}
    credit(log, grant(log, amount_nusd=10**7))
    credit(
        log, *(reserve(log, "acct", "k", name) for name in ("r1", "r2", "r3")), reserve(log, "acct", "k", "r4", **free)
    )
    credit(log, settle(log, "r1", 1), c.Release(at=log.at, reservation_id="r2", reason="provider_failed"))
    assert await (await told(log.events)).credits.open_reservations() == 2


@pytest.mark.parametrize("seed", [61, 62])
async def test_whatever_happened_credit_is_what_the_aggregate_has(told: Told, seed: int) -> None:
    print(f"seed {seed}")
    events = wild_story(seed)
    credits = (await told(events)).credits
    for account_id in ("acct-0", "acct-1", "acct-2"):
        stream = CREDIT.stream(account_id)
        state = CREDIT.fold(CREDIT.initial, [each.event for each in events if each.stream == stream])
        found = await credits.of_account(account_id)
        assert (found.posted_nusd, found.held_nusd, found.owed_nusd, found.open_reservations) == (
            state.posted_nusd,
            state.held_nusd,
            state.owed_nusd,
            len(state.reservations),
        )
