"""What is only ever added to is frozen by the first vacuum that sees it, and never looked at again (P8).

Otherwise a vacuum against wraparound reads the whole log every 200 million appends:
at a thousand a second, every two days.
"""

from projections.engine.registry import PROJECTIONS
from tests.rigs.databases import Database, TestServer
from tests.rigs.postgres.projecting import eventually
from tests.rigs.postgres.verifying import whole_ledger

SEED = 86
"""Its story has rows in every table."""

APPEND_ONLY = ("ledger.stored_events", "ledger.commands", "ledger.blocks")
INSERT_ONLY = tuple(
    f"read.{table.name}_{projection.build}"
    for projection in PROJECTIONS
    for table in projection.tables
    if table.insert_only
)

FROZEN = "SELECT relallfrozen = relpages AND relpages > 0 FROM pg_class WHERE oid = %s::regclass"
AT_ONCE = "ALTER TABLE {} SET (autovacuum_vacuum_insert_threshold = 0, autovacuum_vacuum_insert_scale_factor = 0)"


def test_the_first_vacuum_of_a_table_that_is_only_added_to_freezes_it() -> None:
    """Autovacuum's own, on a server where it looks every second; each table is due after its first row."""
    server = TestServer(autovacuum_naptime="1s")
    try:
        database = Database(server.dsn)
        whole_ledger(database, SEED)
        for table in (*APPEND_ONLY, *INSERT_ONLY):
            database.sql(AT_ONCE.format(table))
        eventually(lambda: all(database.sql(FROZEN, table) == [(True,)] for table in (*APPEND_ONLY, *INSERT_ONLY)))
    finally:
        server.stop()
