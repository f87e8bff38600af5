"""P1, P5: PostgreSQL ends our sessions, as it does in a restart: nothing is lost or doubled, and everything goes on."""

import asyncio
from collections.abc import Callable
from uuid import uuid4

import pytest

from adapters.outbound.postgres.append.append_batch import NewEvent
from domain.credit.decider import CREDIT
from tests.domain.credit_words import grant, hold, settle
from tests.rigs.databases import ROLES, Database
from tests.rigs.postgres.ledgers import (
    assert_sound,
    by_hand,
    chance,
    credit,
    credit_of,
    eventually,
    is_waiting,
    log_of,
    processes,
    running,
)

KILLS = 25


def terminate(database: Database, pattern: str) -> int:
    """End the sessions whose newest statement is like `pattern`; how many there were."""
    rows = database.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE %s",
        pattern,
    )
    return len(rows)


async def test_writers_that_are_ended_at_random_moments(database: Database) -> None:
    """Two processes, a hot account and others; at each kill all their sessions go, in whatever state they are."""
    random = chance("terminate")
    requests, is_over = 0, False

    async def load(i: int) -> None:
        nonlocal requests
        n = 0
        while not is_over:
            account = random.choice(["hot", "hot", "a", "b"])
            ledger, other = random.sample(ledgers, 2)
            assert (await credit(ledger, account, hold(f"{i}-{n}", 5))).seen_before is False
            assert (await credit(other, account, settle(f"{i}-{n}", 2))).seen_before is False
            requests, n = requests + 1, n + 1

    async with processes(database) as ledgers:
        for account in ("hot", "a", "b"):
            await credit(ledgers[0], account, grant("lot", 10**9))
        loads = [asyncio.create_task(load(i)) for i in range(8)]

        def moved_past(before: int) -> Callable[[], bool]:
            return lambda: requests > before or any(task.done() for task in loads)

        for _ in range(KILLS):
            before = requests
            await asyncio.sleep(random.random() * 0.05)
            terminate(database, "%")
            await eventually(moved_past(before))
        is_over = True
        await asyncio.gather(*loads)
    states = [credit_of(database, account) for account in ("hot", "a", "b")]
    assert not any(state.reservations for state in states)
    assert sum(state.posted_nusd for state in states) == 3 * 10**9 - 2 * requests
    assert sum(len(log_of(database, f"credit-{account}")) for account in ("hot", "a", "b")) == 3 + 2 * requests
    assert_sound(database)


async def test_an_append_that_is_ended_while_it_waits_is_sent_again(database: Database) -> None:
    async with running(database.writer) as ledger:
        await credit(ledger, "a", grant("lot", 10))
        with by_hand(database.owner) as holder:
            holder.execute("SELECT FROM ledger.head FOR UPDATE")
            waiting = asyncio.create_task(credit(ledger, "a", hold("r", 10)))
            await eventually(lambda: is_waiting(database))
            assert terminate(database, "%ledger.append(%") == 1
            await eventually(lambda: not is_waiting(database))
            await eventually(lambda: is_waiting(database))
            holder.rollback()
        assert (await waiting).position == 2
    assert_sound(database)


async def test_a_broken_append_does_not_break_a_read_under_way(database: Database) -> None:
    """They are on lines of their own."""
    async with running(database.writer) as ledger:
        await credit(ledger, "a", grant("lot", 10))
        await ledger.state_of(CREDIT, "a")
        with by_hand(database.owner) as holder:
            holder.execute("LOCK TABLE ledger.snapshots IN ACCESS EXCLUSIVE MODE")
            reading = asyncio.create_task(ledger.state_of(CREDIT, "a"))
            await eventually(lambda: is_waiting(database, "%ledger.load(%"))
            assert terminate(database, "%ledger.append(%") == 1
            await ledger.append_raw("needs no snapshot", [NewEvent(1, "test.happened.v1", b"{}")])
            assert not reading.done()
            holder.rollback()
        async with asyncio.timeout(5):
            assert (await reading).posted_nusd == 10
    assert_sound(database)


@pytest.mark.parametrize("setting", ["default_transaction_read_only = on", "statement_timeout = 1"])
async def test_a_database_that_refuses_for_a_while_delays_and_nothing_else(database: Database, setting: str) -> None:
    """Read-only as after a switch to a standby; or too slow for its own time-out. That must never fail a settle."""
    role = f"ALTER ROLE {ROLES.writer} IN DATABASE {database.name}"
    async with running(database.writer) as ledger:
        await credit(ledger, "a", grant("lot", 10))
        await credit(ledger, "a", hold("r", 10))
        with by_hand(database.owner) as holder:
            holder.execute("SELECT FROM ledger.head FOR UPDATE")  # so that a millisecond is too short
            database.sql(f"{role} SET {setting}")
            terminate(database, "%ledger.append(%")
            settling = asyncio.create_task(credit(ledger, "a", settle("r", 10)))
            await asyncio.sleep(0.3)
            assert not settling.done()
            database.sql(f"{role} RESET ALL")
            terminate(database, "%ledger.append(%")
        async with asyncio.timeout(10):
            assert (await settling).position == 3
    assert_sound(database)


async def test_the_same_command_from_a_process_that_saw_its_session_end(database: Database) -> None:
    """`one` is cut off in the act and asks anew, while `other` is asked the very same."""
    async with processes(database) as (one, other):
        await credit(one, "a", grant("lot", 10))
        command_id = uuid4()
        with by_hand(database.owner) as holder:
            holder.execute("SELECT FROM ledger.head FOR UPDATE")
            asking = [
                asyncio.create_task(each.transact(CREDIT, "a", hold("r", 10), command_id=command_id))
                for each in (one, other)
            ]
            await eventually(lambda: is_waiting(database))
            terminate(database, "%ledger.append(%")
            holder.rollback()
        results = await asyncio.gather(*asking)
    assert sorted(result.seen_before for result in results) == [False, True]
    assert len(log_of(database, "credit-a")) == 2
