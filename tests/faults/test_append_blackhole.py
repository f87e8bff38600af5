"""P1, P5: the network stands still: waiting is bounded, nobody is told a lie, and everything goes on afterwards."""

import asyncio
from uuid import uuid4

import pytest

from adapters.outbound.postgres.append import read_streams
from domain.credit.decider import CREDIT
from domain.errors import DomainError
from tests.domain.credit_words import grant, hold, settle
from tests.faults.test_append_backends_killed import terminate
from tests.faults.test_append_lost_reply import behind_proxy, transact
from tests.rigs.databases import Database
from tests.rigs.postgres.ledgers import credit_of, eventually, log_of


async def test_a_standstill_of_two_seconds_delays_and_nothing_else(database: Database) -> None:
    async with behind_proxy(database) as (ledger, proxy):
        await transact(ledger, "a", grant("lot", 100))
        proxy.stand_still()
        waiting = [asyncio.create_task(transact(ledger, "a", hold(f"r{n}", 5))) for n in range(20)]
        await asyncio.sleep(2)
        assert not any(task.done() for task in waiting)
        proxy.resume()
        async with asyncio.timeout(5):
            assert not any(result.seen_before for result in await asyncio.gather(*waiting))
    assert len(log_of(database, "credit-a")) == 21


async def test_a_standstill_longer_than_an_append_may_take(database: Database) -> None:
    """The first statement arrives when the standstill ends, late and together with those that were sent instead."""
    async with behind_proxy(database, append_timeout_s=0.3) as (ledger, proxy):
        await transact(ledger, "a", grant("lot", 100))
        await transact(ledger, "a", hold("old", 5))
        proxy.stand_still()
        waiting = [asyncio.create_task(transact(ledger, "a", hold(f"r{n}", 5))) for n in range(18)]
        settling = asyncio.create_task(transact(ledger, "a", settle("old", 5)))
        await asyncio.sleep(1.5)
        assert not any(task.done() for task in (*waiting, settling))
        proxy.resume()
        async with asyncio.timeout(10):
            assert not any(result.seen_before for result in await asyncio.gather(*waiting, settling))
        assert (await transact(ledger, "a", hold("after", 5))).position == 22
    assert credit_of(database, "a").held_nusd == 95


async def test_replies_that_stand_still_after_the_commit(database: Database) -> None:
    """Recorded, but nobody can say so before the append's time is over."""
    async with behind_proxy(database, append_timeout_s=0.3) as (ledger, proxy):
        await transact(ledger, "a", grant("lot", 100))
        command_id = uuid4()
        proxy.keep_reply_to = command_id.bytes
        waiting = asyncio.create_task(transact(ledger, "a", hold("r", 5), command_id))
        await proxy.kept.wait()
        proxy.keep_reply_to = None
        async with asyncio.timeout(5):
            assert (await waiting).seen_before is False
    assert len(log_of(database, "credit-a")) == 2


async def test_an_append_gives_up_a_dead_line_when_it_said_it_would(database: Database) -> None:
    """The next attempt goes out on a new line soon after, not after psycopg's ten seconds of polite cancelling."""
    async with behind_proxy(database, append_timeout_s=0.3) as (ledger, proxy):
        await transact(ledger, "a", grant("lot", 100))
        command_id = uuid4()
        proxy.keep_reply_to = command_id.bytes  # this connection is dead for good; new ones work
        started_s = asyncio.get_running_loop().time()
        waiting = asyncio.create_task(transact(ledger, "a", hold("r", 5), command_id))
        await proxy.kept.wait()
        proxy.keep_reply_to = None
        async with asyncio.timeout(5):
            await waiting
        assert asyncio.get_running_loop().time() - started_s < 2


async def test_a_server_that_said_goodbye_is_not_waited_for(database: Database) -> None:
    """A backend whose postmaster was killed says so at once, and may take seconds to be gone: seen under load, an
    append sat out its five seconds on such a line."""
    async with behind_proxy(database) as (ledger, proxy):
        await transact(ledger, "a", grant("lot", 100))
        proxy.hides_ends = True
        assert terminate(database, "%ledger.append(%") == 1
        async with asyncio.timeout(2):
            await transact(ledger, "a", hold("r", 5))


async def test_reads_are_told_that_the_database_is_out_of_reach(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_streams, "STREAM_READ_PATIENCE_S", 1.0)
    async with behind_proxy(database) as (ledger, proxy):
        await transact(ledger, "a", grant("lot", 100))
        await ledger.state_of(CREDIT, "a")
        proxy.stand_still()
        reads = [asyncio.create_task(ledger.state_of(CREDIT, "a")) for _ in range(5)]
        async with asyncio.timeout(3):
            results = await asyncio.gather(*reads, return_exceptions=True)
        assert all(isinstance(result, DomainError) and result.code == "ledger_unavailable" for result in results)
        proxy.resume()
        assert (await ledger.state_of(CREDIT, "a")).posted_nusd == 100


async def test_a_reader_that_left_does_not_spoil_the_line_for_the_next(database: Database) -> None:
    async with behind_proxy(database) as (ledger, proxy):
        await transact(ledger, "a", grant("lot", 100))
        await transact(ledger, "b", grant("lot", 7))
        await ledger.state_of(CREDIT, "a")
        proxy.stand_still()
        leaving = asyncio.create_task(ledger.state_of(CREDIT, "a"))
        staying = asyncio.create_task(ledger.state_of(CREDIT, "b"))
        await asyncio.sleep(0.05)
        leaving.cancel()
        await asyncio.gather(leaving, return_exceptions=True)
        proxy.resume()
        assert (await staying).posted_nusd == 7


async def test_closing_during_a_standstill_ends_in_time(database: Database) -> None:
    """Nothing is queued, so there is nothing to wait for but the notifier's last word."""
    async with behind_proxy(database) as (ledger, proxy):
        await transact(ledger, "a", grant("lot", 100))
        proxy.stand_still()
        started_s = asyncio.get_running_loop().time()
        await ledger.close()
        await eventually(lambda: ledger._commits._has_ended)
    assert asyncio.get_running_loop().time() - started_s < 5
