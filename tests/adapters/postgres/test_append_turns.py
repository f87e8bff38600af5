"""P2: conflicts alone never refuse a command: after three stale rounds a process takes a turn."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator

import psycopg

from adapters.outbound.postgres.append.take_turn import TURN_TIMEOUT_MS, StreamLocks
from domain.credit.events import Granted
from tests.domain.credit_words import NOW, grant, hold
from tests.rigs.databases import Database
from tests.rigs.postgres.ledgers import (
    append_by_hand,
    by_hand,
    credit,
    credit_events,
    credit_of,
    eventually,
    log_of,
    processes,
    running,
)


def another_process(database: Database, account: str) -> Callable[[], None]:
    """Each call commits one grant to the account from a process whose own ledger we are not."""
    version = len(log_of(database, f"credit-{account}"))

    def commit() -> None:
        nonlocal version
        granted = Granted(at=NOW, lot_id=f"other{version}", kind="promo", priority=30, amount_nusd=1)
        with psycopg.connect(database.writer) as connection:
            ((outcome, *_),) = append_by_hand(connection, credit_events(account, version, [granted]))
        assert outcome == "recorded"
        version += 1

    return commit


def turns_held(database: Database) -> int:
    rows = database.sql(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ExclusiveLock' AND granted"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    return int(str(rows[0][0]))


async def test_after_three_stale_rounds_a_turn_is_taken(database: Database) -> None:
    """Somebody else commits before each of our appends, until we hold the turn."""
    rounds: list[int] = []

    def on_append(commands: int, seconds: float) -> None:
        rounds.append(turns_held(database))
        if len(rounds) <= 3:
            commit()

    async with running(database.writer) as ledger:
        await credit(ledger, "hot", grant("lot", 10))
        commit = another_process(database, "hot")
        commit()
        ledger._commits._on_append = on_append
        await credit(ledger, "hot", hold("r", 14))
    assert rounds == [0, 0, 0, 1, 1]  # the first in turn learns what it missed
    assert turns_held(database) == 0


async def test_while_a_turn_is_held_others_leave_the_stream_alone_and_go_on(database: Database) -> None:
    async with running(database.writer) as ledger:
        await credit(ledger, "hot", grant("lot", 10))
        async with turn_of_another(database, "credit-hot"):
            waiting = asyncio.create_task(credit(ledger, "hot", hold("r", 10)))
            for n in range(20):
                await credit(ledger, f"cold{n}", grant("lot", 10))
            assert not waiting.done()
        await waiting
    assert credit_of(database, "hot").held_nusd == 10


async def test_a_stopped_holder_loses_its_turn_and_delays_only_its_stream(database: Database) -> None:
    """The holder below is never continued: the server ends its turn after two seconds."""
    loop = asyncio.get_running_loop()
    slowest_s = 0.0
    async with running(database.writer) as ledger, turn_of_another(database, "credit-hot"):
        started_s = loop.time()
        waiting = asyncio.create_task(credit(ledger, "hot", grant("lot", 10)))
        while not waiting.done():
            asked_s = loop.time()
            await credit(ledger, "cold", grant(f"lot{asked_s}", 1))
            slowest_s = max(slowest_s, loop.time() - asked_s)
            await asyncio.sleep(0.01)
        assert loop.time() - started_s >= TURN_TIMEOUT_MS / 1000 - 0.2
    assert slowest_s < 0.5


async def test_wanting_a_turn_that_a_stopped_process_holds_delays_nobody_else(database: Database) -> None:
    """Three stale rounds, and then the turn is another's who does not come back."""
    loop = asyncio.get_running_loop()
    rounds, slowest_s = 0, 0.0

    def on_append(commands: int, seconds: float) -> None:
        nonlocal rounds
        rounds += 1
        if rounds <= 3:
            commit()
        if rounds == 3:
            stopped.enter_context(a_stopped_turn(database, "credit-hot"))

    with contextlib.ExitStack() as stopped:
        async with running(database.writer) as ledger:
            await credit(ledger, "hot", grant("lot", 10))
            commit = another_process(database, "hot")
            commit()
            ledger._commits._on_append = on_append
            waiting = asyncio.create_task(credit(ledger, "hot", hold("r", 14)))
            await eventually(lambda: rounds >= 3)
            while not waiting.done():
                asked_s = loop.time()
                await credit(ledger, "cold", grant(f"lot{asked_s}", 1))
                slowest_s = max(slowest_s, loop.time() - asked_s)
    assert slowest_s < 0.5


@contextlib.asynccontextmanager
async def turn_of_another(database: Database, stream: str) -> AsyncIterator[None]:
    turns = StreamLocks(database.writer)
    async with turns.take(stream) as is_theirs:
        assert is_theirs
        yield
    turns.close()


@contextlib.contextmanager
def a_stopped_turn(database: Database, stream: str) -> Iterator[None]:
    """What a process that is stopped right after it took a turn leaves behind."""
    with by_hand(database.writer) as connection:
        connection.execute(f"SET LOCAL idle_in_transaction_session_timeout = {TURN_TIMEOUT_MS}")
        connection.execute("SELECT pg_advisory_xact_lock(ledger.stream_lock_key(%s))", [stream])
        try:
            yield
        finally:
            connection.pgconn.finish()


async def test_two_processes_that_both_want_turns_both_get_them(database: Database) -> None:
    """No deadlock, nobody starves: both keep a hot account busy, one command at a time."""
    async with processes(database) as ledgers:
        await credit(ledgers[0], "hot", grant("lot", 400))

        async def reserve(i: int) -> None:
            for n in range(60):
                await credit(ledgers[i], "hot", hold(f"{i}-{n}", 1))

        async with asyncio.timeout(30):
            await asyncio.gather(reserve(0), reserve(1))
    assert len(credit_of(database, "hot").reservations) == 120
