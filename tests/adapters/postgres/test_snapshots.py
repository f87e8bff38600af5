"""A snapshot is a cache: it changes what a load costs, never what it says."""

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from adapters.outbound.postgres.append.load_streams import SNAPSHOT_EVERY, load_streams, put_snapshots
from adapters.outbound.postgres.append.stream_cache import Cached, StreamCache
from adapters.outbound.postgres.wire.ask_server import WireConnection
from domain.credit.decider import CREDIT
from domain.credit.state import CreditBalance
from domain.decider import Decider
from tests.domain.credit_words import grant, hold, settle
from tests.rigs.databases import Database
from tests.rigs.postgres.ledgers import code_of, credit, credit_of, eventually, folds, running


def snapshots(database: Database) -> Mapping[str, int]:
    rows = database.sql("SELECT originator_id, originator_version FROM ledger.snapshots")
    return {str(stream): int(str(version)) for stream, version in rows}


async def requests(ledger: Any, account: str, count: int, name: str = "") -> None:
    """Two events each, nothing left open."""
    await asyncio.gather(*(credit(ledger, account, hold(f"{name}{n}", 1)) for n in range(count)))
    await asyncio.gather(*(credit(ledger, account, settle(f"{name}{n}", 1)) for n in range(count)))


async def test_one_is_written_every_so_many_events(database: Database) -> None:
    async with running(database.writer) as ledger:
        await credit(ledger, "a", grant("lot", 10_000))
        await requests(ledger, "a", SNAPSHOT_EVERY // 2 - 1)
        assert snapshots(database) == {}
        await requests(ledger, "a", 1, "more")
        await eventually(lambda: snapshots(database) == {"credit-a": SNAPSHOT_EVERY})
        await requests(ledger, "a", SNAPSHOT_EVERY // 2, "again")
        await eventually(lambda: snapshots(database)["credit-a"] >= SNAPSHOT_EVERY * 2)


async def test_a_hot_account_gets_one_though_the_queue_is_never_empty(database: Database) -> None:
    async with running(database.writer, max_batch=40) as ledger:
        await credit(ledger, "hot", grant("lot", 10_000))
        is_over = False

        async def keep_busy(i: int) -> None:
            n = 0
            while not is_over:
                await credit(ledger, "hot", hold(f"{i}-{n}", 1))
                await credit(ledger, "hot", settle(f"{i}-{n}", 1))
                n += 1

        busy = [asyncio.create_task(keep_busy(i)) for i in range(80)]
        try:
            await eventually(lambda: snapshots(database))
        finally:
            is_over = True
            await asyncio.gather(*busy)


async def test_a_load_reads_no_further_back_than_the_snapshot(database: Database) -> None:
    await _with_snapshot(database, "a")
    connection = await WireConnection.open(database.writer)
    loaded = (await load_streams(connection, {"credit-a": CREDIT}))["credit-a"]
    connection.close()
    assert loaded.snapshot_version == SNAPSHOT_EVERY
    assert loaded.version == SNAPSHOT_EVERY + 2
    assert loaded.state == credit_of(database, "a")


async def test_deleting_all_changes_nothing(database: Database) -> None:
    await _with_snapshot(database, "a")
    async with running(database.writer) as ledger:
        before = await ledger.state_of(CREDIT, "a")
        database.sql("DELETE FROM ledger.snapshots")
        assert await ledger.state_of(CREDIT, "a") == before == folds(database)["credit-a"]
        assert await code_of(credit(ledger, "a", settle("open", 1))) == ""


async def test_one_of_another_state_schema_is_ignored_and_replaced(database: Database) -> None:
    await _with_snapshot(database, "a")
    wrong = msgspec.json.encode(CreditBalance(posted_nusd=-1))
    database.sql("UPDATE ledger.snapshots SET state_schema = 99, originator_version = 400, state = %s", wrong)
    async with running(database.writer) as ledger:
        assert await ledger.state_of(CREDIT, "a") == credit_of(database, "a")
        await credit(ledger, "a", settle("open", 1))
        await eventually(lambda: database.sql("SELECT state_schema FROM ledger.snapshots") == [(CREDIT.state_schema,)])
    assert snapshots(database) == {"credit-a": SNAPSHOT_EVERY + 3}


@pytest.mark.parametrize("state", [b"", b"no json", b'{"lots": 7}', b"\xff"])
async def test_one_that_cannot_be_decoded_is_ignored(database: Database, state: bytes) -> None:
    await _with_snapshot(database, "a")
    database.sql("UPDATE ledger.snapshots SET state = %s", state)
    async with running(database.writer) as ledger:
        assert await ledger.state_of(CREDIT, "a") == credit_of(database, "a")
        assert await code_of(credit(ledger, "a", settle("open", 1))) == ""


async def test_an_older_one_never_replaces_a_newer(database: Database) -> None:
    connection = await WireConnection.open(database.writer)
    for version in (7, 5, 7, 6):
        await put(connection, "credit-a", version)
    assert snapshots(database) == {"credit-a": 7}
    await put(connection, "credit-a", 8)
    await put(connection, "credit-a", 3, msgspec.structs.replace(CREDIT, state_schema=CREDIT.state_schema + 1))
    connection.close()
    assert snapshots(database) == {"credit-a": 3}


async def test_two_processes_that_store_the_same_streams_do_not_deadlock(database: Database) -> None:
    """Each with its own order of the same streams."""

    async def store(streams: list[str], versions: range) -> None:
        connection = await WireConnection.open(database.writer)
        for version in versions:
            due = {stream: (CREDIT, Cached(version, CreditBalance())) for stream in streams}
            await put_snapshots(connection, due, 5)
        connection.close()

    streams = [f"credit-{n}" for n in range(200)]
    await asyncio.gather(store(streams, range(1, 60, 2)), store(streams[::-1], range(2, 60, 2)))
    ((deadlocks,),) = database.sql("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    assert deadlocks == 0


async def test_a_cache_too_small_for_a_batch_only_costs_loads(database: Database) -> None:
    async with running(database.writer, cache=StreamCache(max_streams=2)) as ledger:
        accounts = [f"a{n}" for n in range(30)]
        await asyncio.gather(*(credit(ledger, account, grant("lot", 5)) for account in accounts))
        codes = await asyncio.gather(*(code_of(credit(ledger, account, hold("r", 5))) for account in accounts * 2))
        assert codes == [""] * 60
    assert all(credit_of(database, account).held_nusd == 5 for account in accounts)


async def put(connection: WireConnection, stream: str, version: int, decider: Decider = CREDIT) -> None:
    await put_snapshots(connection, {stream: (decider, Cached(version, CreditBalance()))}, 5)


async def _with_snapshot(database: Database, account: str) -> None:
    """A stream of two events more than its snapshot, with one open reservation."""
    async with running(database.writer) as ledger:
        await credit(ledger, account, grant("lot", 10_000))
        await credit(ledger, account, hold("open", 1))
        await requests(ledger, account, SNAPSHOT_EVERY // 2 - 1)
        await eventually(lambda: snapshots(database))
        await requests(ledger, account, 1, "after")
