"""What the tests of the store say: ledgers that run (each one process), commands by name, folds of the log."""

import asyncio
import contextlib
import os
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from typing import Any

import psycopg

from adapters.outbound.postgres.append.append_batch import APPEND, NewEvent, Submission, parameters
from adapters.outbound.postgres.append.ledger import PostgresLedger
from application.ports.ledger import Recorded
from domain.aggregates import CODEC, aggregate_of
from domain.command_ids import named_id
from domain.credit.commands import CreditCommand
from domain.credit.decider import CREDIT
from domain.credit.state import CreditBalance
from domain.errors import DomainError
from domain.event import Event
from tests.domain.credit_words import grant
from tests.rigs.chain import broken_chain
from tests.rigs.databases import Database

EVENTUALLY_S = 20.0
TEST_S = 60.0
CLOSE_S = 15.0


@contextlib.asynccontextmanager
async def running(info: str, **options: Any) -> AsyncIterator[PostgresLedger]:
    """A ledger with its own connections and cache, as a process has one; drained on leaving. Nothing lasts for ever."""
    ledger = PostgresLedger(info, **options)
    task = asyncio.create_task(ledger.run())
    try:
        async with asyncio.timeout(TEST_S):
            yield ledger
    finally:
        await ledger.close()
        await asyncio.wait([task], timeout=CLOSE_S)
        is_drained = task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert is_drained, "the ledger did not end"


@contextlib.asynccontextmanager
async def processes(database: Database, count: int = 2, **options: Any) -> AsyncIterator[list[PostgresLedger]]:
    async with contextlib.AsyncExitStack() as stack:
        yield [await stack.enter_async_context(running(database.writer, **options)) for _ in range(count)]


async def credit(
    ledger: PostgresLedger, account: str, command: CreditCommand, name: str | None = None, **more: Any
) -> Recorded:
    """Transact on an account's credit; `name` stands for the command id (None: the command's own words)."""
    command_id = named_id("test", account, repr(command) if name is None else name)
    return await ledger.transact(CREDIT, account, command, command_id=command_id, **more)


async def code_of(awaitable: Awaitable[Recorded]) -> str:
    """The code of the refusal, or "" if it was recorded."""
    try:
        await awaitable
    except DomainError as refusal:
        return refusal.code
    return ""


async def eventually(holds: Callable[[], Any]) -> None:
    """Until `holds`, at most 20 s."""
    async with asyncio.timeout(EVENTUALLY_S):
        while not holds():
            await asyncio.sleep(0.002)


@contextlib.asynccontextmanager
async def stalled(database: Database, ledger: PostgresLedger) -> AsyncIterator["asyncio.Task[str]"]:
    """Somebody else holds the head: one append of `ledger` waits for it, whatever comes now queues up behind."""
    with by_hand(database.owner) as holder:
        holder.execute("SELECT FROM ledger.head FOR UPDATE")
        waiting = asyncio.create_task(code_of(credit(ledger, "stalled", grant(f"lot{time.monotonic_ns()}", 1))))
        await eventually(lambda: is_waiting(database))
        yield waiting
        holder.rollback()


def is_waiting(database: Database, pattern: str = "%ledger.append(%") -> bool:
    """Whether a statement of this kind waits for a lock."""
    ((count,),) = database.sql(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE %s",
        pattern,
    )
    return bool(count)


async def sessions_end(database: Database) -> None:
    """Until nobody but us is connected: what was under way has been committed or not."""
    others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    await eventually(lambda: database.sql(others) == [(0,)])


def chance(name: str) -> random.Random:
    """Randomness to be repeated: the seed is printed, so shown when the test fails. STORE_SEED sets it."""
    seed = int(os.environ.get("STORE_SEED", time.time_ns() % 1_000_000))
    print(f"STORE_SEED={seed} ({name})")
    return random.Random(f"{seed} {name}")


# ---- the log, read by a way of its own


def log_of(database: Database, stream: str) -> list[Event]:
    rows = database.sql(
        "SELECT topic, state FROM ledger.stored_events WHERE originator_id = %s ORDER BY notification_id", stream
    )
    return [CODEC.decode(str(tag), bytes(state)) for tag, state in rows]  # type: ignore[call-overload]


def tags_of(database: Database, stream: str) -> list[str]:
    return [event.tag for event in log_of(database, stream)]


def credit_of(database: Database, account: str) -> CreditBalance:
    return CREDIT.fold(CREDIT.initial, log_of(database, CREDIT.stream(account)))


def lowest_available_nusd(database: Database, account: str) -> int:
    """The least that was available after any event of the account (P2: never below zero)."""
    state, lowest_nusd = CREDIT.initial, 0
    for event in log_of(database, CREDIT.stream(account)):
        state = CREDIT.evolve(state, event)
        lowest_nusd = min(lowest_nusd, state.available_nusd(event.at))
    return lowest_nusd


def folds(database: Database) -> dict[str, Any]:
    """The state of every stream of ours, from genesis."""
    rows = database.sql("SELECT originator_id, topic, state FROM ledger.stored_events ORDER BY notification_id")
    states: dict[str, Any] = {}
    for stream, tag, state in rows:
        decider = aggregate_of(str(stream))
        event = CODEC.decode(str(tag), bytes(state))  # type: ignore[call-overload]
        states[str(stream)] = decider.evolve(states.get(str(stream), decider.initial), event)
    return states


def assert_sound(database: Database) -> None:
    """P4: positions dense, every block and the head on one chain, recorded_at never decreasing, versions dense."""
    assert broken_chain(database) is None
    rows = database.sql(
        "SELECT notification_id FROM (SELECT notification_id, recorded_at, lag(recorded_at) OVER by_position AS before,"
        " originator_version - lag(originator_version) OVER by_stream AS step FROM ledger.stored_events"
        " WINDOW by_position AS (ORDER BY notification_id),"
        " by_stream AS (PARTITION BY originator_id ORDER BY notification_id)) e WHERE recorded_at < before OR step <> 1"
    )
    assert rows == []


# ---- another process, by hand


@contextlib.contextmanager
def by_hand(info: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection whose transactions the test opens and ends itself."""
    with psycopg.connect(info) as connection:
        yield connection
        if not connection.closed:
            connection.rollback()


def append_by_hand(connection: psycopg.Connection[Any], *submissions: Submission) -> list[tuple[Any, ...]]:
    return connection.execute(APPEND, parameters(submissions), binary=True).fetchall()


def some_events(stream: str, count: int = 1, expected: int = 0, name: str = "") -> Submission:
    """A command that brings `count` opaque events."""
    command_id = named_id("by hand", stream, str(expected), name)
    events = [NewEvent(expected + n, "test.happened.v1", b"{}") for n in range(1, count + 1)]
    return Submission(command_id, named_id("submission", str(command_id)).bytes, b"hash", stream, expected, events)


def credit_events(account: str, expected: int, events: Iterable[Event], name: str = "") -> Submission:
    """What another process decided."""
    stream = CREDIT.stream(account)
    new = [NewEvent(expected + n, event.tag, CODEC.encode(event)) for n, event in enumerate(events, 1)]
    command_id = named_id("by hand", stream, str(expected), name)
    return Submission(command_id, named_id("submission", str(command_id)).bytes, b"hash", stream, expected, new)
