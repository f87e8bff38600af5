"""The bound on the append queue refuses reserves only, never settles; closing drains."""

import asyncio
import time
from collections.abc import Awaitable
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from adapters.outbound.postgres.append.group_commit import LATENESS_S
from adapters.outbound.postgres.append.ledger import PostgresLedger
from adapters.outbound.postgres.append.pending import Pending
from application.ports.ledger import PATIENTLY, Recorded, Waiting
from domain.errors import DomainError
from tests.domain.credit_words import grant, hold, settle
from tests.rigs.databases import Database
from tests.rigs.postgres.ledgers import (
    by_hand,
    code_of,
    credit,
    credit_of,
    eventually,
    is_waiting,
    running,
    sessions_end,
    stalled,
)


async def test_a_full_queue_sheds_reserves_and_takes_settles(database: Database) -> None:
    async with running(database.writer, max_queue=3) as ledger:
        await credit(ledger, "a", grant("lot", 100))
        for n in range(5):
            await credit(ledger, "a", hold(f"old{n}", 10))
        async with stalled(database, ledger) as in_flight:
            reserves = [
                asyncio.create_task(code_of(credit(ledger, "a", hold(f"{n}", 10), waiting=Waiting(sheddable=True))))
                for n in range(7)
            ]
            settles = [asyncio.create_task(code_of(credit(ledger, "a", settle(f"old{n}", 10)))) for n in range(4)]
            await eventually(lambda: ledger.queued == 3 + 4)
            assert [task.result() for task in reserves if task.done()] == ["overloaded"] * 4
            assert not any(task.done() for task in settles)
        assert await asyncio.gather(in_flight, *settles, *reserves[:3]) == [""] * 8
    assert len(credit_of(database, "a").reservations) == 1 + 3


async def test_closing_answers_everything_that_was_queued(database: Database) -> None:
    ledger = PostgresLedger(database.writer, max_batch=10)
    running_ledger = asyncio.create_task(ledger.run())
    queued = [asyncio.create_task(code_of(credit(ledger, "a", grant(f"lot{n}", 1)))) for n in range(50)]
    await eventually(lambda: ledger.queued > 0)
    await ledger.close()
    assert await code_of(credit(ledger, "a", hold("r", 1), waiting=Waiting(sheddable=True))) == "overloaded"
    await running_ledger
    assert await asyncio.gather(*queued) == [""] * 50
    assert credit_of(database, "a").posted_nusd == 50


async def test_after_closing_a_settle_is_told_that_nobody_will_write_it(database: Database) -> None:
    """It would wait for ever."""
    ledger = PostgresLedger(database.writer)
    running_ledger = asyncio.create_task(ledger.run())
    await credit(ledger, "a", grant("lot", 1))
    await ledger.close()
    await running_ledger
    async with asyncio.timeout(2):
        assert await code_of(credit(ledger, "a", grant("late", 1))) == "ledger_unavailable"


async def test_callers_of_a_ledger_that_was_stopped_are_told(database: Database) -> None:
    ledger = PostgresLedger(database.writer)
    running_ledger = asyncio.create_task(ledger.run())
    async with stalled(database, ledger) as in_flight:
        queued = asyncio.create_task(code_of(credit(ledger, "a", grant("two", 1))))
        await eventually(lambda: ledger.queued == 1)
        with capture_logs() as logged:
            running_ledger.cancel()
            async with asyncio.timeout(2):
                assert await asyncio.gather(in_flight, queued) == ["ledger_unavailable"] * 2
    assert [(line["log_level"], line["commands"]) for line in logged] == [("error", 2)]
    await sessions_end(database)  # the append that was under way may still be committed


async def test_a_reserve_whose_caller_left_before_it_was_sent_is_dropped(database: Database) -> None:
    async with running(database.writer) as ledger:
        await credit(ledger, "a", grant("lot", 100))
        async with stalled(database, ledger):
            gone = asyncio.create_task(credit(ledger, "a", hold("gone", 10), waiting=Waiting(sheddable=True)))
            await eventually(lambda: ledger.queued == 1)
            gone.cancel()
            await asyncio.gather(gone, return_exceptions=True)
    assert not credit_of(database, "a").reservations


async def test_what_cannot_be_withdrawn_is_recorded_though_its_caller_left(database: Database) -> None:
    """A reserve that was sent may be in the log; a settle must get there."""
    async with running(database.writer) as ledger:
        await credit(ledger, "a", grant("lot", 100))
        await credit(ledger, "a", hold("old", 10))
        with by_hand(database.owner) as holder:
            holder.execute("SELECT FROM ledger.head FOR UPDATE")
            sent = asyncio.create_task(credit(ledger, "a", hold("sent", 10), waiting=Waiting(sheddable=True)))
            await eventually(lambda: is_waiting(database))
            ending = asyncio.create_task(credit(ledger, "a", settle("old", 10)))
            await eventually(lambda: ledger.queued == 1)
            for task in (sent, ending):
                task.cancel()
            await asyncio.gather(sent, ending, return_exceptions=True)
    state = credit_of(database, "a")
    assert (state.posted_nusd, list(state.reservations)) == (90, ["sent"])


async def test_a_caller_waits_as_long_as_its_patience_and_hears_of_the_outcome_later(database: Database) -> None:
    """A reserve that was never sent is dropped; a settle is recorded, and counted once."""
    heard: list[Recorded] = []
    impatient = Waiting(patience_s=0.2, sheddable=True)
    async with running(database.writer) as ledger:
        await credit(ledger, "a", grant("lot", 100))
        await credit(ledger, "a", hold("old", 10), waiting=Waiting(patience_s=60))
        async with stalled(database, ledger):
            began_s = time.monotonic()
            settling = credit(ledger, "a", settle("old", 10), waiting=Waiting(0.4, on_recorded=heard.append))
            ends = await asyncio.gather(
                timed(credit(ledger, "a", hold("r", 10), waiting=impatient)), timed(settling), return_exceptions=True
            )
            assert [type(end) for end in ends] == [TimeoutError] * 2
            assert 0.4 <= time.monotonic() - began_s < 0.4 + 3 * LATENESS_S
            assert heard == []
        await eventually(lambda: bool(heard))
    assert [[event.tag for event in recorded.events] for recorded in heard] == [["credit.settled.v1"]]
    state = credit_of(database, "a")
    assert (state.posted_nusd, list(state.reservations)) == (90, [])


async def timed(awaitable: Awaitable[Recorded]) -> Recorded:
    """Not a second too long: a patience that nothing ends would hang."""
    async with asyncio.timeout(5):
        return await awaitable


async def test_a_caller_in_time_hears_twice_of_one_outcome(database: Database) -> None:
    heard: list[Recorded] = []
    async with running(database.writer) as ledger:
        recorded = await credit(ledger, "a", grant("lot", 100), waiting=Waiting(5, on_recorded=heard.append))
        await asyncio.sleep(0)
    assert heard == [recorded]


@pytest.mark.parametrize(
    ("failure", "reported"),
    [(DomainError("ledger_unavailable", retry_after_s=1), 0), (RuntimeError("a bug"), 1)],
)
async def test_a_failure_that_nobody_waits_for_is_reported_if_it_is_a_bug(failure: Exception, reported: int) -> None:
    loop = asyncio.get_running_loop()
    reports: list[object] = []
    loop.set_exception_handler(lambda _, context: reports.append(context["exception"]))
    future: asyncio.Future[Recorded] = loop.create_future()
    pending = Pending(
        stream="credit-a", command_id=uuid4(), submission=b"", input_hash=b"", future=future, waiting=PATIENTLY
    )
    future.cancel()
    pending.refuse(failure)
    assert reports == [failure] * reported
