"""Followers that only listen, such as the library's subscriptions, hear of every append sooner or later."""

import asyncio
from collections.abc import Iterator

import psycopg
import pytest

from adapters.outbound.postgres.append.notify_followers import Notifier
from adapters.outbound.postgres.wire.wake_up import WAKE_UP_CHANNEL
from tests.domain.credit_words import grant
from tests.rigs.databases import Database
from tests.rigs.postgres.ledgers import credit, eventually, running

Listener = psycopg.Connection[tuple[object, ...]]


@pytest.fixture
def listener(database: Database) -> Iterator[Listener]:
    with psycopg.connect(database.auditor, autocommit=True) as connection:
        connection.execute(f"LISTEN {WAKE_UP_CHANNEL}".encode())
        yield connection


def heard(listener: Listener, within_s: float) -> int:
    return sum(1 for _ in listener.notifies(timeout=within_s))


async def test_many_appends_make_few_notifications(database: Database, listener: Listener) -> None:
    async with running(database.writer) as ledger:
        for n in range(30):
            await credit(ledger, "a", grant(f"lot{n}", 1))
    assert 1 <= heard(listener, 0.1) <= 20


async def test_the_last_append_of_a_process_is_told_though_it_ends_at_once(
    database: Database, listener: Listener
) -> None:
    async with running(database.writer) as ledger:
        await credit(ledger, "a", grant("one", 1))
        assert (await asyncio.to_thread(heard, listener, 0.2)) == 1
        await credit(ledger, "a", grant("two", 1))
        await credit(ledger, "a", grant("three", 1))
        heard(listener, 0)
    assert heard(listener, 0.2) >= 1


async def test_one_that_could_not_be_sent_is_sent_later(database: Database, listener: Listener) -> None:
    notifier = Notifier(database.writer)
    notifying = asyncio.create_task(notifier.run())
    notifier.appended()
    assert (await asyncio.to_thread(heard, listener, 0.3)) == 1
    with psycopg.connect(database.owner, autocommit=True) as owner:
        owner.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE query LIKE 'SELECT pg_notify%%' AND datname = current_database()"
        )
    notifier.appended()
    await eventually(lambda: heard(listener, 0.05))
    notifying.cancel()
    await asyncio.gather(notifying, return_exceptions=True)
