"""What application.reads.due promises."""

from datetime import timedelta

from adapters.outbound.postgres.read.due import PostgresDueReads
from application.reads.due import DueReads
from domain.credit import commands as c
from tests.contracts.reads.logs import FULL, Told, credit, grant
from tests.fakes.reads.due import MemoryDueReads
from tests.projections.story import Log, reserve, settle

SUBJECTS = {"memory": MemoryDueReads, "postgres": PostgresDueReads}
PORT = DueReads


async def test_due_lots_are_those_with_something_left(told: Told, log: Log) -> None:
    soon = log.at + timedelta(seconds=60)
    credit(
        log,
        grant(log, "burnt", 195_000, expires_at=soon, priority=1),
        grant(log, "taken", 5, expires_at=soon),
        grant(log, "left", 10**6, expires_at=soon + timedelta(seconds=1)),
        grant(log, "for ever", 10**6),
        reserve(log, "acct", "k", "r1"),
        settle(log, "r1", 100),
    )
    log.at = soon
    credit(log, c.ExpireLot(at=soon, lot_id="taken"))
    due = (await told(log.events)).due
    assert await due.lots(soon, 9) == []
    assert await due.lots(soon + timedelta(seconds=1), 9) == [("acct", "left")]


async def test_due_reservations_are_the_longest_overdue_first(told: Told, log: Log) -> None:
    credit(log, grant(log, "small", FULL - 1), grant(log))
    credit(log, reserve(log, "acct", "k", "r1"))
    log.at += timedelta(seconds=10)
    credit(log, reserve(log, "acct", "k", "r2"), reserve(log, "acct", "k", "r3"), settle(log, "r3", 1))
    due = (await told(log.events)).due
    first, second = log.at + timedelta(seconds=1_490), log.at + timedelta(seconds=1_500)
    assert await due.reservations(first - timedelta(seconds=1), 9) == []
    assert await due.reservations(first, 9) == [("acct", "r1")]
    assert await due.reservations(second, 9) == [("acct", "r1"), ("acct", "r2")]
    assert await due.reservations(second, 1) == [("acct", "r1")]
