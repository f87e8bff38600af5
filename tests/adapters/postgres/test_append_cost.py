"""P8: what an append costs does not grow with the log: it probes indexes, it scans nothing."""

import asyncio
from collections.abc import Mapping

from domain.claim import Claim
from tests.domain.credit_words import grant, hold, settle
from tests.rigs.databases import Database
from tests.rigs.postgres.ledgers import append_by_hand, by_hand, credit, running, sessions_end, some_events

ROUNDS = 60


async def rows_scanned(database: Database) -> Mapping[str, int]:
    """Rows that sequential scans have read, by table; sessions report when they end."""
    await sessions_end(database)
    rows = database.sql(
        "SELECT relname, seq_tup_read FROM pg_stat_user_tables WHERE schemaname IN ('ledger', 'content')"
        " AND relname <> 'head'"
    )
    return {str(table): int(str(count)) for table, count in rows}


async def work(database: Database, name: str, size: int) -> None:
    """Appends of `size` commands with everything in them: events, claims, repetitions, refusals, stale streams."""
    async with running(database.writer) as ledger, running(database.writer) as other:
        for n in range(ROUNDS):
            accounts = [f"{name}-{n}-{i}" for i in range(size)]
            claims = [Claim("name", account.encode()) for account in accounts]
            await asyncio.gather(
                *(credit(ledger, a, grant("lot", 9), claims=[c]) for a, c in zip(accounts, claims, strict=True))
            )
            await asyncio.gather(*(credit(other, account, hold("r", 5)) for account in accounts))
            await asyncio.gather(
                *(credit(ledger, account, settle("r", 5)) for account in accounts),
                *(credit(ledger, account, grant("lot", 9)) for account in accounts),
            )


async def test_no_append_scans_a_table_from_its_first_day_on(database: Database) -> None:
    """Plans are made when the tables are empty and kept while they grow; nothing here was ever analyzed."""
    for size in (1, 20):
        await work(database, f"accounts of {size}", size)
    ((appends,),) = database.sql("SELECT count(*) FROM ledger.blocks")
    assert int(str(appends)) > 4 * ROUNDS
    scanned = await rows_scanned(database)
    assert sum(scanned.values()) < 5_000, scanned


async def test_nor_does_the_largest_batch(database: Database) -> None:
    with by_hand(database.writer) as connection:
        for n in range(12):
            append_by_hand(connection, *(some_events(f"{n}-{i}", 2) for i in range(500)))
            connection.commit()
    scanned = await rows_scanned(database)
    assert sum(scanned.values()) < 5_000, scanned
