"""Somebody holds the lock of an account's stream: its requests wait, and operators can see why (attack 25)."""

import asyncio
from collections.abc import AsyncIterator, Mapping

import psycopg
import pytest
import structlog
from psycopg_pool import AsyncConnectionPool

from adapters.inbound.http.gateway import Check
from adapters.outbound.postgres.append import busy_streams
from adapters.outbound.postgres.append.busy_streams import LONG_S, MOST, QUIET_S, SAY_EVERY_S, BusyStreams
from adapters.outbound.postgres.append.ledger import PostgresLedger
from adapters.outbound.postgres.read.ask_builds import PoolReader
from adapters.wiring.compose.readiness import ReadinessChecks
from tests.domain.credit_words import grant
from tests.rigs.databases import Database
from tests.rigs.postgres.ledgers import credit, running

LOCKED = "no stream is locked"


@pytest.fixture
async def reader(database: Database) -> AsyncIterator[PoolReader]:
    async with AsyncConnectionPool(database.writer, open=False, kwargs={"autocommit": True}) as pool:
        yield PoolReader(pool)


async def locked_check(ledger: PostgresLedger, reader: PoolReader) -> Check:
    def busy() -> Mapping[str, float]:
        return ledger.busy_streams

    checks = await ReadinessChecks(reader, busy, lambda: True, has_roles=True)()
    return next(check for check in checks if check.name == LOCKED)


async def test_ready_names_the_stream_that_another_session_locks(
    database: Database, reader: PoolReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(busy_streams, "LONG_S", 0.2)
    with structlog.testing.capture_logs() as lines, psycopg.connect(database.writer, autocommit=True) as other:
        async with running(database.writer) as ledger:
            other.execute("SELECT pg_advisory_lock(ledger.stream_lock_key('credit-held'))")
            waiting = asyncio.create_task(credit(ledger, "held", grant("lot", 10)))
            await credit(ledger, "free", grant("lot", 10))
            assert (await locked_check(ledger, reader)).passed
            await asyncio.sleep(0.4)
            told = await locked_check(ledger, reader)
            assert (told.passed, told.required) == (False, False)
            assert "credit-held has been locked by database session " in told.detail
            assert f" {other.info.backend_pid} of " in told.detail
            assert "credit-free" not in told.detail
            other.execute("SELECT pg_advisory_unlock_all()")
            await waiting
            assert (await locked_check(ledger, reader)).passed
    assert [line["stream"] for line in lines if "locked by another session" in line["event"]] == ["credit-held"]


class Seconds:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def noted(busy: BusyStreams, clock: Seconds, stream: str, until_s: float) -> None:
    while clock.now_s < until_s:
        busy.note(stream)
        clock.now_s += 0.5


def test_a_turn_is_no_long_lock_and_an_append_ends_one() -> None:
    clock = Seconds()
    busy = BusyStreams(clock)
    noted(busy, clock, "credit-a", LONG_S - 0.5)
    assert busy.long() == {}
    noted(busy, clock, "credit-a", LONG_S + 1)
    assert busy.long() == {"credit-a": LONG_S + 1}
    busy.forget(["credit-a"])
    assert busy.long() == {}


def test_a_stream_that_nothing_waits_for_is_forgotten_and_begins_again() -> None:
    clock = Seconds()
    busy = BusyStreams(clock)
    noted(busy, clock, "credit-a", LONG_S + 1)
    clock.now_s += QUIET_S + 1
    busy.note("credit-a")
    assert busy.long() == {}


def test_the_log_says_it_once_a_minute_and_memory_is_bounded() -> None:
    clock = Seconds()
    busy = BusyStreams(clock)
    with structlog.testing.capture_logs() as lines:
        noted(busy, clock, "credit-a", 2 * SAY_EVERY_S)
    assert len(lines) == 2
    for number in range(2 * MOST):
        busy.note(f"credit-{number}")
    clock.now_s += LONG_S
    assert len(busy.long()) == MOST
