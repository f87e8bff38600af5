"""P4: positions are dense and in the order of commits; a reader never misses one and never sees a gap."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from adapters.outbound.postgres.wire.read_log import read_page
from tests.domain.credit_words import grant, hold
from tests.rigs.databases import Database
from tests.rigs.postgres.ledgers import (
    append_by_hand,
    assert_sound,
    by_hand,
    chance,
    code_of,
    credit,
    processes,
    running,
    some_events,
)


def positions(database: Database) -> list[Any]:
    return [row[0] for row in database.sql("SELECT notification_id FROM ledger.stored_events ORDER BY 1")]


def is_waiting(database: Database, pid: int) -> bool:
    rows = database.sql("SELECT wait_event_type FROM pg_stat_activity WHERE pid = %s", pid)
    return rows == [("Lock",)]


async def test_the_second_appender_waits_for_the_first_and_follows_it(database: Database) -> None:
    """Where positions are drawn before the commit, a reader loses the one that commits late."""
    seen: list[Any] = []

    def poll() -> None:
        seen.append(positions(database))

    with by_hand(database.writer) as a, by_hand(database.writer) as b:
        ((_, _, first, last, *_),) = append_by_hand(a, some_events("a", 3))
        assert (first, last) == (1, 3)
        poll()
        waiting = asyncio.create_task(asyncio.to_thread(append_by_hand, b, some_events("b", 2)))
        while not is_waiting(database, b.info.backend_pid):
            poll()
            await asyncio.sleep(0.001)
        a.commit()
        ((_, _, first, last, *_),) = await waiting
        assert (first, last) == (4, 5)
        poll()
        b.commit()
        poll()
    assert [page for i, page in enumerate(seen) if i == 0 or page != seen[i - 1]] == [[], [1, 2, 3], [1, 2, 3, 4, 5]]


async def test_positions_of_an_appender_that_gives_up_are_used_by_the_next(database: Database) -> None:
    with by_hand(database.writer) as a, by_hand(database.writer) as b:
        append_by_hand(a, some_events("a", 3))
        waiting = asyncio.create_task(asyncio.to_thread(append_by_hand, b, some_events("b", 2)))
        while not is_waiting(database, b.info.backend_pid):
            await asyncio.sleep(0.001)
        a.rollback()
        ((_, _, first, last, *_),) = await waiting
        b.commit()
    assert (first, last) == (1, 2)
    assert positions(database) == [1, 2]


async def test_of_two_appenders_on_one_stream_the_second_is_told_what_it_missed(database: Database) -> None:
    with by_hand(database.writer) as a, by_hand(database.writer) as b:
        append_by_hand(a, some_events("s", 2, name="a"))
        late = some_events("s", 1, name="b")
        waiting = asyncio.create_task(asyncio.to_thread(append_by_hand, b, late, some_events("t")))
        while not is_waiting(database, b.info.backend_pid):
            await asyncio.sleep(0.001)
        a.commit()
        rows = await waiting
        b.commit()
    assert [(row[0], row[1]) for row in rows] == [("stale", 1), ("recorded", 2), ("missed", 1), ("missed", 1)]
    assert [row[2] for row in rows if row[0] == "missed"] == [1, 2]
    assert positions(database) == [1, 2, 3]


async def test_a_polling_reader_sees_every_position_once_and_in_order(database: Database) -> None:
    """Several appenders at their own pace, each holding its append open now and then; two readers poll all along."""
    random = chance("appenders")
    writing = 4

    def append(name: str) -> None:
        nonlocal writing
        with psycopg.connect(database.writer) as connection:
            for n in range(40):
                submission = some_events(f"{name}{random.randint(0, 3)}-{n}", random.randint(1, 4))
                append_by_hand(connection, submission)
                if random.random() < 0.2:
                    connection.execute("SELECT pg_sleep(0.003)")
                connection.rollback() if random.random() < 0.15 else connection.commit()
        writing -= 1

    def follow(limit: int) -> list[int]:
        found: list[int] = []
        with psycopg.connect(database.projector, autocommit=True) as connection:
            while True:
                is_last_look = writing == 0
                page = read_page(connection, len(found), limit)  # raises LogGap
                found += [event.position for event in page.events]
                if is_last_look and not page.events:
                    return found

    async with asyncio.timeout(60):
        few: Any
        many: Any
        *_, few, many = await asyncio.gather(
            *(asyncio.to_thread(append, f"appender{i}") for i in range(4)),
            asyncio.to_thread(follow, 7),
            asyncio.to_thread(follow, 500),
        )
    assert few == many == positions(database) == list(range(1, len(few) + 1))


async def test_conflicts_refusals_and_repetitions_leave_no_gaps(database: Database) -> None:
    random = chance("gaps")

    async def act(ledger: Any, n: int) -> None:
        account = random.choice("abc")
        await code_of(credit(ledger, account, hold(f"{random.randint(0, 60)}", random.randint(1, 9))))
        await code_of(credit(ledger, account, grant(f"{random.randint(0, 60)}", random.randint(1, 9))))

    async with processes(database) as ledgers:
        for _ in range(4):
            await asyncio.gather(*(act(ledgers[n % 2], n) for n in range(60)))
    found = positions(database)
    assert found == list(range(1, len(found) + 1)) and len(found) > 20


async def test_recorded_at_never_goes_back_when_the_clock_does(database: Database) -> None:
    """As after a clock that ran ahead was set right: the head's time is in the future."""
    ahead = datetime(2199, 1, 1, tzinfo=UTC)
    async with running(database.writer) as ledger:
        await credit(ledger, "a", grant("one", 1))
        database.sql("UPDATE ledger.head SET recorded_at = %s", ahead)
        await asyncio.gather(*(credit(ledger, account, grant("two", 1)) for account in "abc"))
    times = [row[0] for row in database.sql("SELECT recorded_at FROM ledger.stored_events ORDER BY notification_id")]
    assert times[0] < times[1] == times[2] == times[3] == ahead  # type: ignore[operator]


async def test_one_append_has_one_block_and_one_time(database: Database) -> None:
    async with running(database.writer) as ledger:
        for lot in ("one", "two"):
            await asyncio.gather(*(credit(ledger, account, grant(lot, 1)) for account in "abcdef"))
    assert database.sql("SELECT count(DISTINCT recorded_at) FROM ledger.stored_events") == [(2,)]
    assert database.sql("SELECT first_position, last_position FROM ledger.blocks ORDER BY 1") == [(1, 6), (7, 12)]
    assert_sound(database)


@pytest.mark.parametrize("change", ["state", "topic", "command_id", "recorded_at", "correlation_id", "originator_id"])
async def test_the_chain_covers_every_column(database: Database, change: str) -> None:
    """The check itself must be able to fail: tests rely on it."""
    async with running(database.writer) as ledger:
        await credit(ledger, "a", grant("one", 1), correlation_id=None)
        await credit(ledger, "a", grant("two", 1))
    assert_sound(database)
    values = {"recorded_at": "now()", "command_id": "gen_random_uuid()", "correlation_id": "gen_random_uuid()"}
    value = values.get(change, "'credit.settled.v1'")
    tamper(database, f"UPDATE ledger.stored_events SET {change} = {value} WHERE notification_id = 2")
    with pytest.raises(AssertionError):
        assert_sound(database)
    tamper(database, "TRUNCATE ledger.stored_events, ledger.blocks")
    database.sql("UPDATE ledger.head SET position = 0, chain = decode(repeat('00', 32), 'hex')")


def tamper(database: Database, statement: str) -> None:
    """What only a superuser with bad intentions can do."""
    with psycopg.connect(database.owner) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(statement.encode())
