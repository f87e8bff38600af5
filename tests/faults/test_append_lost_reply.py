"""P1, P5: a COMMIT whose reply is lost, or a statement that never arrived: no double, no false failure, for anybody."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable
from uuid import UUID, uuid4

import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from adapters.outbound.postgres.append.append_batch import NewEvent
from adapters.outbound.postgres.append.ledger import PostgresLedger
from application.ports.ledger import Recorded, Waiting
from domain.credit.commands import CreditCommand
from domain.credit.decider import CREDIT
from domain.errors import DomainError
from tests.domain.credit_words import grant, hold, settle
from tests.rigs.databases import Database
from tests.rigs.faults.fault_proxy import FaultProxy, fault_proxy
from tests.rigs.postgres.ledgers import assert_sound, chance, credit_of, eventually, log_of, running, stalled

CUTS = 200
RANDOM_CUTS = int(os.environ.get("STORE_CUTS", "20"))
"""At moments drawn from the seed; STORE_CUTS=200 and more for a long look."""


@contextlib.asynccontextmanager
async def behind_proxy(
    database: Database, append_timeout_s: float = 5.0
) -> AsyncIterator[tuple[PostgresLedger, FaultProxy]]:
    place = conninfo_to_dict(database.writer)
    async with fault_proxy(str(place["host"]), int(str(place["port"]))) as proxy:
        through = make_conninfo(database.writer, host="127.0.0.1", port=proxy.port)
        async with running(through, append_timeout_s=append_timeout_s) as ledger:
            yield ledger, proxy
    assert_sound(database)


async def transact(
    ledger: PostgresLedger, account: str, command: CreditCommand, command_id: UUID | None = None
) -> Recorded:
    return await ledger.transact(CREDIT, account, command, command_id=command_id or uuid4())


def is_recorded(database: Database, command_id: UUID) -> bool:
    return database.sql("SELECT 1 FROM ledger.commands WHERE command_id = %s", command_id) == [(1,)]


async def lose_reply(database: Database, proxy: FaultProxy, command_id: UUID) -> None:
    """Cut once the command is committed for all to see, before its reply has left the proxy."""
    await proxy.kept.wait()
    await eventually(lambda: is_recorded(database, command_id))
    proxy.cut()


async def test_a_lost_reply_is_neither_a_failure_nor_a_second_charge(database: Database) -> None:
    async with behind_proxy(database) as (ledger, proxy):
        await transact(ledger, "a", grant("lot", 10 * CUTS))
        for n in range(CUTS):
            await transact(ledger, "a", hold(f"r{n}", 10))
            command_id = uuid4()
            proxy.keep_reply_to = command_id.bytes
            settling = asyncio.create_task(transact(ledger, "a", settle(f"r{n}", 7), command_id))
            await lose_reply(database, proxy, command_id)
            settled = await settling
            assert settled.seen_before is False
            assert [event.tag for event in settled.events] == ["credit.settled.v1"]
            assert settled.position == 3 + 2 * n
    assert len(log_of(database, "credit-a")) == 1 + 2 * CUTS
    assert credit_of(database, "a").posted_nusd == 3 * CUTS


async def test_a_statement_that_never_arrived_is_sent_again(database: Database) -> None:
    async with behind_proxy(database) as (ledger, proxy):
        await transact(ledger, "a", grant("lot", 10 * CUTS))
        for n in range(CUTS):
            command_id = uuid4()
            proxy.swallow = command_id.bytes
            reserved = await transact(ledger, "a", hold(f"r{n}", 10), command_id)
            assert (reserved.position, reserved.seen_before) == (2 + n, False)
        assert proxy.swallowed == CUTS
    assert len(log_of(database, "credit-a")) == 1 + CUTS


async def test_a_whole_batch_loses_its_reply(database: Database) -> None:
    """Reserves that were granted, refused and repeated, on several accounts: each learns what the log says."""
    async with behind_proxy(database) as (ledger, proxy):
        accounts = [f"a{n}" for n in range(5)]
        for account in accounts:
            await transact(ledger, account, grant("lot", 10))
        earlier = uuid4()
        first = await transact(ledger, "a0", hold("earlier", 1), earlier)
        watched = uuid4()
        async with stalled(database, ledger):
            proxy.keep_reply_to = watched.bytes
            reserving = [
                asyncio.create_task(transact(ledger, account, hold(f"r{n}", 4)))
                for account in accounts
                for n in range(4)
            ]
            watching = asyncio.create_task(transact(ledger, "a1", hold("watched", 2), watched))
            repeating = asyncio.create_task(transact(ledger, "a0", hold("earlier", 1), earlier))
            await eventually(lambda: ledger.queued == 22)
        await lose_reply(database, proxy, watched)
        results = await asyncio.gather(*reserving, return_exceptions=True)
        again = await repeating
        assert (await watching).seen_before is False
    assert (again.events, again.seen_before) == (first.events, True)
    assert sum(isinstance(result, Recorded) for result in results) == 10
    assert {result.code for result in results if isinstance(result, DomainError)} == {"insufficient_credits"}
    assert not any(result.seen_before for result in results if isinstance(result, Recorded))
    for account in accounts:
        assert len(credit_of(database, account).reservations) == {"a0": 3, "a1": 3}.get(account, 2)


async def test_a_second_reply_is_lost_while_the_first_is_asked_for(database: Database) -> None:
    async with behind_proxy(database) as (ledger, proxy):
        await transact(ledger, "a", grant("lot", 10))
        command_id = uuid4()
        proxy.keep_reply_to = command_id.bytes
        reserving = asyncio.create_task(transact(ledger, "a", hold("r", 10), command_id))
        await lose_reply(database, proxy, command_id)
        for _ in range(3):
            proxy.keep_reply_to = command_id.bytes
            await proxy.kept.wait()
            proxy.cut()
        assert (await reserving).seen_before is False
    assert len(log_of(database, "credit-a")) == 2


async def test_raw_events_whose_reply_was_lost_are_there_once(database: Database) -> None:
    """The eventsourcing library's recorder writes tags that our codec does not know."""
    async with behind_proxy(database) as (ledger, proxy):
        await ledger.append_raw("library-1", [NewEvent(1, "its.own:Topic", b"first")])
        proxy.keep_reply_to = b"second"
        appending = asyncio.create_task(
            ledger.append_raw("library-1", [NewEvent(2, "its.own:Topic", b"second"), NewEvent(3, "other", b"third")])
        )
        await proxy.kept.wait()
        await eventually(lambda: database.sql("SELECT position FROM ledger.head") == [(3,)])
        proxy.cut()
        assert await appending == 2
    assert database.sql("SELECT count(*) FROM ledger.stored_events") == [(3,)]


async def test_a_settle_whose_caller_left_is_recorded_once_across_a_reconnect(database: Database) -> None:
    async with behind_proxy(database) as (ledger, proxy):
        await transact(ledger, "a", grant("lot", 20))
        await transact(ledger, "a", hold("one", 10))
        await transact(ledger, "a", hold("two", 10))
        one, two = uuid4(), uuid4()
        proxy.keep_reply_to = one.bytes
        first = asyncio.create_task(transact(ledger, "a", settle("one", 10), one))
        await proxy.kept.wait()
        second = asyncio.create_task(transact(ledger, "a", settle("two", 10), two))
        await eventually(lambda: ledger.queued == 1)
        first.cancel()
        second.cancel()
        proxy.swallow = two.bytes
        await lose_reply(database, proxy, one)
        await eventually(lambda: is_recorded(database, two))
        await asyncio.gather(first, second, return_exceptions=True)
    assert [event.tag for event in log_of(database, "credit-a")].count("credit.settled.v1") == 2
    assert credit_of(database, "a").posted_nusd == 0


async def test_a_reserve_that_was_never_sent_goes_with_its_caller_though_the_line_broke(database: Database) -> None:
    async with behind_proxy(database) as (ledger, proxy):
        await transact(ledger, "a", grant("lot", 20))
        proxy.is_refusing = True
        proxy.cut()
        reserving = asyncio.create_task(
            ledger.transact(CREDIT, "a", hold("gone", 10), command_id=uuid4(), waiting=Waiting(sheddable=True))
        )
        settling = asyncio.create_task(transact(ledger, "a", grant("more", 1)))
        await asyncio.sleep(0)
        reserving.cancel()
        await asyncio.gather(reserving, return_exceptions=True)
        proxy.is_refusing = False
        await settling
    assert not credit_of(database, "a").reservations
    assert credit_of(database, "a").posted_nusd == 21


async def test_cuts_at_random_moments_under_load(database: Database) -> None:
    """Whatever is cut in whatever state: every caller gets its result, the log has it once."""
    random = chance("cuts")
    requests = 0

    async def load(i: int) -> None:
        nonlocal requests
        for n in range(RANDOM_CUTS):
            account = f"a{random.randint(0, 3)}"
            reserved = await transact(ledger, account, hold(f"{i}-{n}", 5))
            assert reserved.seen_before is False
            assert (await transact(ledger, account, settle(f"{i}-{n}", 2))).seen_before is False
            requests += 1

    async with behind_proxy(database) as (ledger, proxy):
        for n in range(4):
            await transact(ledger, f"a{n}", grant("lot", 10_000))
        loads = [asyncio.create_task(load(i)) for i in range(8)]

        def moved_past(before: int) -> Callable[[], bool]:
            return lambda: requests > before or all(task.done() for task in loads)

        for _ in range(RANDOM_CUTS):
            before = requests
            await asyncio.sleep(random.random() * 0.02)
            proxy.cut()
            await eventually(moved_past(before))
        await asyncio.gather(*loads)
    states = [credit_of(database, f"a{n}") for n in range(4)]
    assert not any(state.reservations for state in states)
    assert sum(state.posted_nusd for state in states) == 40_000 - 2 * requests


@pytest.mark.parametrize("swallowed", [True, False], ids=["never arrived", "reply lost"])
async def test_reads_survive_a_broken_line(database: Database, swallowed: bool) -> None:
    async with behind_proxy(database) as (ledger, proxy):
        await transact(ledger, "a", grant("lot", 20))
        assert (await ledger.state_of(CREDIT, "a")).posted_nusd == 20
        if swallowed:
            proxy.swallow = b"credit-a"
        else:
            proxy.keep_reply_to = b"credit-a"
        reading = asyncio.create_task(ledger.state_of(CREDIT, "a"))
        if not swallowed:
            await proxy.kept.wait()
            proxy.cut()
        assert (await reading).posted_nusd == 20
