"""P2, P4: the log went back to an earlier state under a process that remembers later ones: it forgets them."""

from uuid import uuid4

from adapters.outbound.postgres.append.load_streams import SNAPSHOT_EVERY
from tests.domain.credit_words import grant, hold, settle
from tests.rigs.databases import Database
from tests.rigs.faults.restore import backup_of
from tests.rigs.postgres.ledgers import (
    assert_sound,
    code_of,
    credit,
    credit_of,
    lowest_available_nusd,
    running,
    sessions_end,
)


async def test_p2_a_state_that_the_log_no_longer_has_is_not_decided_on(database: Database, server_dsn: str) -> None:
    """`one` remembers version 2 of the stream; after the restore `other` writes another version 2."""
    async with running(database.writer) as one:
        await credit(one, "a", grant("lot", 100))
        with backup_of(database.owner, server_dsn) as restore:
            await credit(one, "a", hold("lost", 10))
            restore()
        async with running(database.writer) as other:
            await credit(other, "a", hold("all of it", 100))
        assert await code_of(credit(one, "a", hold("too much", 50))) == "insufficient_credits"
    assert lowest_available_nusd(database, "a") == 0
    assert_sound(database)


async def test_p4_a_snapshot_of_a_state_that_the_log_no_longer_has_is_not_stored(
    database: Database, server_dsn: str
) -> None:
    async with running(database.writer) as ledger:
        await credit(ledger, "a", grant("lot", 10**6))
        with backup_of(database.owner, server_dsn) as restore:
            ledger._commits._snapshots.are_wanted = lambda **_: False  # type: ignore[method-assign] # not before the restore
            for n in range(SNAPSHOT_EVERY // 2):
                await credit(ledger, "a", hold(f"lost {n}", 5))
                await credit(ledger, "a", settle(f"lost {n}", 1))
            restore()
        del ledger._commits._snapshots.are_wanted
        await credit(ledger, "a", hold("first", 5), name=str(uuid4()))
        await credit(ledger, "b", grant("lot", 1))
    assert database.sql("SELECT count(*) FROM ledger.snapshots") == [(0,)]
    assert credit_of(database, "a").posted_nusd == 10**6
    await sessions_end(database)
