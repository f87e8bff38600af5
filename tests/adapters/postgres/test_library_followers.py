"""P4: the eventsourcing library's own reader and subscription follow our log while it is written."""

import asyncio
import threading
from collections.abc import Iterator
from uuid import uuid4

import pytest
from eventsourcing.persistence import Notification
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from psycopg.conninfo import conninfo_to_dict

from tests.domain.credit_words import grant, hold, settle
from tests.rigs.databases import PASSWORD, ROLES, Database
from tests.rigs.postgres.ledgers import credit, processes

EVENTS = 600


@pytest.fixture
def library(database: Database) -> Iterator[PostgresApplicationRecorder]:
    """The library as anybody would set it up who may only read."""
    place = conninfo_to_dict(database.owner)
    datastore = PostgresDatastore(
        dbname=database.name,
        host=str(place["host"]),
        port=str(place["port"]),
        user=ROLES.auditor,
        password=PASSWORD,
        schema="ledger",
        originator_id_type="text",
        pool_size=2,  # a subscription listens on one and reads on another
    )
    yield PostgresApplicationRecorder(datastore, events_table_name="stored_events")
    datastore.close()


async def write(database: Database) -> None:
    """600 events, from two processes, on a hot account and on others."""
    async with processes(database) as ledgers:
        for account in ("hot", "a", "b", "c"):
            await credit(ledgers[0], account, grant("lot", 10_000))

        async def requests(i: int) -> None:
            for n in range(EVENTS // 8):
                account = ("hot", "abc"[n % 3])[n % 2]
                await credit(ledgers[i % 2], account, hold(f"{i}-{n}", 1))
                await credit(ledgers[i % 2], account, settle(f"{i}-{n}", 1))

        await asyncio.gather(*(requests(i) for i in range(4)))


async def test_its_reader_polls_along_without_missing_one(
    database: Database, library: PostgresApplicationRecorder
) -> None:
    def follow() -> list[Notification]:
        found: list[Notification] = []
        while len(found) < EVENTS + 4:
            page = library.select_notifications(start=len(found) + 1, limit=37)
            assert [n.id for n in page] == list(range(len(found) + 1, len(found) + len(page) + 1))
            found += page
        return found

    async with asyncio.timeout(60):
        found, _ = await asyncio.gather(asyncio.to_thread(follow), write(database))
    assert library.max_notification_id() == len(found)
    assert {n.originator_id for n in found} == {"credit-hot", "credit-a", "credit-b", "credit-c"}


async def test_its_subscription_delivers_every_event_in_order(
    database: Database, library: PostgresApplicationRecorder
) -> None:
    is_listening = threading.Event()

    def follow() -> list[int]:
        found: list[int] = []
        with library.subscribe(gt=2) as subscription:
            is_listening.set()
            for notification in subscription:
                found.append(notification.id)
                if len(found) == EVENTS + 2:
                    break
        return found

    async with asyncio.timeout(60):
        following = asyncio.create_task(asyncio.to_thread(follow))
        await asyncio.to_thread(is_listening.wait)
        await write(database)
        assert await following == list(range(3, EVENTS + 5))


async def test_its_reader_selects_a_stream_as_we_wrote_it(
    database: Database, library: PostgresApplicationRecorder
) -> None:
    async with processes(database, 1) as (ledger,):
        account = str(uuid4())
        await credit(ledger, account, grant("lot", 5))
        await credit(ledger, account, hold("r", 5))
    events = library.select_events(f"credit-{account}")
    assert [(e.originator_version, e.topic) for e in events] == [(1, "credit.granted.v2"), (2, "credit.reserved.v2")]
