"""The projector makes its own schema; what it makes is what projections declare."""

from collections.abc import Awaitable, Callable
from typing import Any

import psycopg
import pytest

from adapters.outbound.postgres.builds.builds_in_use import NotBuilt
from adapters.outbound.postgres.builds.install_read_models import install_read_models
from adapters.outbound.postgres.wire.ask_server import is_out_of_reach
from adapters.outbound.postgres.wire.locks import LEAD_ALL_BUILDS
from application.reads.reads import Reads
from projections.engine.changes import Projection
from projections.engine.registry import NAMES, PROJECTIONS
from tests.domain.credit_words import NOW
from tests.rigs.databases import ROLES, Database
from tests.rigs.postgres.asking import ask
from tests.rigs.postgres.projecting import active, stands

TYPES = {
    "int8": "bigint",
    "text": "text",
    "json": "json",
    "bytea": "bytea",
    "bool": "boolean",
    "timestamptz": "timestamp with time zone",
    "date": "date",
}
COLUMNS = """
SELECT column_name, data_type, column_default, is_nullable = 'YES' FROM information_schema.columns
 WHERE table_schema = 'read' AND table_name = %s ORDER BY ordinal_position
"""
KEY = """
SELECT array_agg(a.attname ORDER BY array_position(i.indkey::int[], a.attnum::int))
  FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
 WHERE i.indrelid = ('read.' || %s)::regclass AND i.indisprimary
"""


def install(database: Database) -> None:
    with psycopg.connect(database.projector, autocommit=True) as connection:
        install_read_models(connection, PROJECTIONS)


@pytest.mark.parametrize("projection", PROJECTIONS, ids=NAMES)
def test_tables_are_what_the_projection_declares(database: Database, projection: Projection) -> None:
    install(database)
    for table in projection.tables:
        physical = f"{table.name}_{projection.build}"
        found = database.sql(COLUMNS, physical)
        declared = [(name, TYPES[column.sql_type]) for name, column in table.columns.items()]
        assert [(name, kind) for name, kind, *_ in found] == declared
        assert database.sql(KEY, physical) == [(list(table.key_names),)]


@pytest.mark.parametrize("projection", PROJECTIONS, ids=NAMES)
def test_rows_start_at_the_declared_defaults(database: Database, projection: Projection) -> None:
    """Else a row made by the database would differ from the same row made by a replay."""
    install(database)
    for table in [table for table in projection.tables if not table.insert_only]:
        for name, _, default, is_nullable in database.sql(COLUMNS, f"{table.name}_{projection.build}")[table.key :]:
            declared: Any = table.columns[str(name)].default
            assert is_nullable == (declared is None), name
            if default is None:
                assert declared is None, name
            else:
                assert database.sql(f"SELECT {default}") == [(declared,)], name


def test_installing_again_changes_nothing(database: Database) -> None:
    install(database)
    database.sql("UPDATE read.positions SET position = 7")
    install(database)
    assert database.sql("SELECT DISTINCT position FROM read.positions") == [(7,)]


def test_a_schema_that_nobody_made_is_made(database: Database) -> None:
    """Where roles cannot be created, everything runs as one role, and nobody made the schema before."""
    database.sql("DROP SCHEMA read CASCADE")
    with psycopg.connect(database.owner, autocommit=True) as connection:
        install_read_models(connection, PROJECTIONS)
    assert database.sql("SELECT count(*) FROM read.positions") == [(len(NAMES),)]


BEFORE = (
    "CREATE TABLE read.positions (projection text NOT NULL, log int NOT NULL, version int NOT NULL,"
    " position bigint NOT NULL, updated_at timestamptz NOT NULL, PRIMARY KEY (projection, log))",
    "CREATE TABLE read.parked (projection text NOT NULL, account text NOT NULL, position bigint NOT NULL,"
    " error text NOT NULL, parked_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (projection, account))",
    "INSERT INTO read.positions SELECT projection, log, version, 7, updated_at FROM kept_positions",
    "INSERT INTO read.parked (projection, account, position, error) VALUES ('generation', 'acct', 7, 'x')",
)
"""What a release had that knew one build of each read model."""


@pytest.fixture
def earlier(database: Database) -> Database:
    """The read schema of a release that knew one build of each read model, all at position 7."""
    install(database)
    database.sql("CREATE TABLE kept_positions AS SELECT * FROM read.positions")
    database.sql("DROP TABLE read.positions, read.parked, read.active, read.builds")
    for statement in BEFORE:
        database.sql(statement)
    for table in ("positions", "parked"):
        database.sql(f"ALTER TABLE read.{table} OWNER TO {ROLES.projector}")
    return database


def test_an_installation_that_had_one_build_each_is_brought_over(earlier: Database) -> None:
    for _ in range(2):
        install(earlier)
        assert stands(earlier) == {(projection.name, projection.version): 7 for projection in PROJECTIONS}
        assert active(earlier) == {projection.name: projection.version for projection in PROJECTIONS}
        parked = earlier.sql("SELECT projection, version, account, position FROM read.parked")
        assert parked == [("generation", active(earlier)["generation"], "acct", 7)]
        key = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'p'"
        assert earlier.sql(key, "read.positions") == [("PRIMARY KEY (projection, version, log)",)]
        assert earlier.sql(key, "read.parked") == [("PRIMARY KEY (projection, version, account)",)]


def test_it_is_brought_over_only_when_the_release_before_no_longer_writes(earlier: Database) -> None:
    with psycopg.connect(earlier.owner, autocommit=True) as before:
        before.execute("SELECT pg_advisory_lock(%s)", [LEAD_ALL_BUILDS])
        with pytest.raises(psycopg.errors.LockNotAvailable):
            install(earlier)
        assert earlier.sql("SELECT to_regclass('read.active')") == [(None,)]
    install(earlier)
    assert len(active(earlier)) == len(NAMES)


def test_writer_and_auditor_may_read_and_not_write(database: Database) -> None:
    install(database)
    for info in (database.writer, database.auditor):
        with psycopg.connect(info, autocommit=True) as connection:
            connection.execute("SELECT * FROM read.api_key")
            connection.execute("SELECT * FROM read.generation_end_v1")
            connection.execute("SET default_transaction_read_only = off")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("DELETE FROM read.generation_end_v1")


def test_the_projector_owns_the_tables(database: Database) -> None:
    install(database)
    owners = database.sql("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'read'")
    assert owners == [(ROLES.projector,)]


QUESTIONS: dict[str, Callable[[Reads], Awaitable[object]]] = {
    "a key by its secret": lambda reads: reads.keys.with_secret(b"hash"),
    "an account's keys": lambda reads: reads.keys.of_account("a", NOW),
    "credits": lambda reads: reads.credits.of_account("a"),
    "open reservations": lambda reads: reads.credits.open_reservations(),
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_before_the_first_projector_each_question_is_one_to_ask_again(database: Database, name: str) -> None:
    """An API process may start first: its answers are 503 with Retry-After, never a fault of ours."""
    with pytest.raises(NotBuilt) as raised:
        ask(database, QUESTIONS[name])
    assert is_out_of_reach(raised.value)


def test_before_the_first_projector_no_position_is_reached(database: Database) -> None:
    """A use case that has recorded its events waits and goes on."""
    assert not ask(database, lambda reads: reads.positions.wait_for(1, 0.2))


def test_a_read_model_that_only_a_newer_projector_will_build_is_one_to_ask_for_again(database: Database) -> None:
    """An API process of a new release may start before that release's projector."""
    with psycopg.connect(database.projector, autocommit=True) as connection:
        install_read_models(connection, [build for build in PROJECTIONS if build.name != "api_key"])
    with pytest.raises(NotBuilt):
        ask(database, QUESTIONS["a key by its secret"])
