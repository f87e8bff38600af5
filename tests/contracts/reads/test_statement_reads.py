"""What application.reads.statements promises."""

from datetime import timedelta

from adapters.outbound.postgres.read.statements import PostgresStatementReads
from application.reads.statements import StatementReads
from domain.credit import commands as c
from domain.credit.decider import CREDIT
from domain.credit.events import ShortfallPaid
from domain.log import RecordedEvent
from tests.contracts.reads.logs import FULL, Told, credit, grant
from tests.fakes.reads.statements import MemoryStatementReads
from tests.projections.story import Log, reserve, wild_story

SUBJECTS = {"memory": MemoryStatementReads, "postgres": PostgresStatementReads}
PORT = StatementReads


def is_paid(recorded: RecordedEvent, account_id: str) -> bool:
    return recorded.stream == CREDIT.stream(account_id) and isinstance(recorded.event, ShortfallPaid)


async def test_lots_and_requests_add_up_to_the_credit(told: Told) -> None:
    events = wild_story(31)
    statements = (await told(events)).statements
    for account_id in ("acct-0", "acct-1", "acct-2"):
        told_all = await statements.of_account(account_id, 1_000)
        assert told_all.position == len(events)
        assert sum(lot.available_nusd for lot in told_all.lots) == told_all.credits.available_nusd
        assert sum(lot.held_nusd for lot in told_all.lots) == told_all.credits.held_nusd
        paid = [each.event.amount_nusd for each in events if is_paid(each, account_id)]  # type: ignore[attr-defined]
        spent_nusd = sum(request.paid_nusd for request in told_all.requests) + sum(paid)
        assert spent_nusd == sum(lot.burnt_nusd for lot in told_all.lots) == told_all.credits.total_usage_nusd
        assert sum(request.status == "reserved" for request in told_all.requests) == told_all.credits.open_reservations
        positions = [request.reserve_position for request in told_all.requests]
        assert positions == sorted(positions)
        newest = await statements.of_account(account_id, 3)
        assert list(newest.requests) == list(told_all.requests)[-3:]


async def test_what_is_left_of_a_lot_shows_as_held_or_expired(told: Told, log: Log) -> None:
    soon = log.at + timedelta(seconds=60)
    credit(log, grant(log, "held"), reserve(log, "acct", "k", "r1"), grant(log, "over", 7, expires_at=soon))
    log.at = soon
    credit(log, c.ExpireLot(at=soon, lot_id="over"))
    held, over = (await (await told(log.events)).statements.of_account("acct", 9)).lots
    assert (held.lot_id, held.held_nusd, held.available_nusd) == ("held", FULL, 10**6 - FULL)
    assert (over.lot_id, over.expired_nusd, over.burnt_nusd, over.available_nusd) == ("over", 7, 0, 0)
    assert over.expires_at == soon
