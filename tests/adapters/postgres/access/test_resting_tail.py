"""A tail of keys that nobody asks rests, and what it missed counts before the first answer behind the rest."""

import asyncio
from typing import Any

import pytest

from adapters.outbound.postgres.read import follow_access
from adapters.outbound.postgres.read.key_directory import CachedKeyDirectory
from domain.api_key.api_key import Revoke
from tests.domain.credit_words import NOW
from tests.rigs.databases import Database
from tests.rigs.postgres.key_directories import SECRET, LogKeyReads, change_key, directory, issue, verdict, written
from tests.rigs.postgres.ledgers import eventually, processes


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow_access, "RESTS_AFTER_S", 0.1)


def count_polls(keys: CachedKeyDirectory, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    polls: list[float] = []
    poll = keys.tail.poll

    async def counted() -> None:
        polls.append(asyncio.get_running_loop().time())
        await poll()

    monkeypatch.setattr(keys.tail, "poll", counted)
    return polls


async def test_it_is_seldom_read_while_nobody_asks_and_often_while_somebody_does(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with processes(database, 1) as (ledger,), directory(database, ledger, LogKeyReads(database)) as keys:
        polls = count_polls(keys, monkeypatch)
        await asyncio.sleep(1.2)
        assert len(polls) <= 3
        polls.clear()
        for _ in range(20):
            keys.tail.is_fresh()
            await asyncio.sleep(0.05)
        assert len(polls) >= 6


async def test_it_is_read_now_and_then_all_the_same(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow_access, "REST_POLL_S", 0.2)
    async with processes(database, 1) as (ledger,), directory(database, ledger, LogKeyReads(database)) as keys:
        await asyncio.sleep(0.5)
        issued = await issue(ledger)
        await eventually(lambda: (keys.tail.position or 0) >= issued)


async def test_a_revocation_during_the_rest_counts_for_the_first_request(database: Database) -> None:
    async with processes(database) as (one, other):
        await issue(one)
        async with directory(database, other, LogKeyReads(database)) as keys:
            assert await verdict(keys) == "served"
            await asyncio.sleep(2 * follow_access.FRESH_S)
            await change_key(one, Revoke(at=NOW))
            assert keys.remembered(written(SECRET)) is None, "nothing is believed before the tail was read again"
            assert await verdict(keys) == "invalid_api_key"


async def test_a_cached_key_is_believed_behind_a_rest_without_reading_its_streams(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = LogKeyReads(database)
    async with processes(database) as (one, other):
        await issue(one)
        async with directory(database, other, reads) as keys:
            assert await verdict(keys) == "served"
            asked = reads.asked

            async def away(*_: Any) -> Any:
                raise AssertionError("the key is cached")

            monkeypatch.setattr(other, "state_of", away)
            monkeypatch.setattr(other, "holder_of", away)
            for _ in range(3):
                await asyncio.sleep(0.7)
                assert await verdict(keys) == "served"
            assert reads.asked == asked


async def test_without_a_database_the_end_of_a_rest_is_not_waited_for_long(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with processes(database) as (one, other):
        await issue(one)
        async with directory(database, other, LogKeyReads(database)) as keys:
            await asyncio.sleep(0.5)

            async def never() -> None:
                await asyncio.sleep(60)

            monkeypatch.setattr(keys.tail, "poll", never)
            async with asyncio.timeout(3):
                assert await verdict(keys) == "served", "from its streams"
