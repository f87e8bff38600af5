"""P8: an append looks up, it never scans, also when its plan was made while there was next to nothing to look in."""

from tests.domain.credit_words import grant
from tests.rigs.databases import Database
from tests.rigs.postgres.ledgers import credit, running, sessions_end

APPENDS = 30
PER_APPEND = 3
"""Rows that looking up one command and one stream may read, with some room; scans would read more with each append."""

TOTAL = """
SELECT (SELECT coalesce(sum(seq_tup_read), 0) FROM pg_stat_user_tables
         WHERE schemaname = 'ledger' AND relname IN ('stored_events', 'commands', 'snapshots'))::int
     + coalesce(sum(idx_tup_read), 0)::int, coalesce(sum(idx_scan), 0)::int
  FROM pg_stat_user_indexes
 WHERE schemaname = 'ledger' AND relname IN ('stored_events', 'commands', 'snapshots')
"""


async def test_tables_that_were_analyzed_while_empty_are_not_scanned_as_they_grow(database: Database) -> None:
    """A cached plan lasts until the next analyze, a minute away: by then a busy log has a hundred thousand events."""
    database.sql("VACUUM (ANALYZE) ledger.stored_events, ledger.commands, ledger.snapshots")
    async with running(database.writer) as ledger:
        for n in range(APPENDS):
            await credit(ledger, f"a{n}", grant(f"lot-{n}", 1))
    await sessions_end(database)  # which is when the last of them is counted
    ((read, lookups),) = database.sql(TOTAL)
    assert isinstance(read, int)
    assert isinstance(lookups, int)
    assert lookups >= 2 * APPENDS
    assert read <= PER_APPEND * APPENDS
