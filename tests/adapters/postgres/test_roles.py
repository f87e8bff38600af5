"""P4, P7: nobody but the append writes the log: what each database role may do, and what not even the owner may."""

import secrets
from collections.abc import Iterator

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege, RestrictViolation

from adapters.outbound.postgres.connection import conninfo
from adapters.outbound.postgres.ensure_roles import WRITER_FUNCTIONS, Roles, ensure_roles
from tests.adapters.postgres.ledgers import append_by_hand, by_hand, some_events
from tests.databases import PASSWORD, ROLES, Database

LEDGER = (
    "ledger.stored_events",
    "ledger.blocks",
    "ledger.commands",
    "ledger.head",
    "ledger.claims",
    "ledger.snapshots",
    "ledger.data_keys",
    "ledger.instance",
    "content.answers",
)
LOG = LEDGER[:3]
ROLE_NAMES = ("writer", "projector", "auditor")


@pytest.fixture
def filled(database: Database) -> Database:
    """One event in the log, and a row in every other table."""
    with by_hand(database.writer) as connection:
        append_by_hand(connection, some_events("a"))
        connection.execute("SELECT ledger.put_data_key('a', 'wrapped')")
        connection.execute("SELECT ledger.put_snapshots('{a}', '{1}', '{1}', '{state}')")
        connection.commit()
    database.sql("INSERT INTO ledger.claims VALUES ('kind', 'hash', 'a')")
    database.sql("INSERT INTO content.answers VALUES (gen_random_uuid(), 'a', 'sealed', now())")
    return database


def run(info: str, statement: str) -> None:
    with psycopg.connect(info, autocommit=True) as connection:
        connection.execute(statement.encode())


@pytest.mark.parametrize("role", ROLE_NAMES)
def test_no_role_writes_a_table_of_the_ledger(filled: Database, role: str) -> None:
    for table in LEDGER:
        ((column,),) = filled.sql(
            "SELECT quote_ident(attname) FROM pg_attribute WHERE attrelid = %s::regclass AND attnum = 1", table
        )
        for statement in (
            f"INSERT INTO {table} SELECT * FROM {table}",
            f"UPDATE {table} SET {column} = {column}",
            f"DELETE FROM {table}",
            f"TRUNCATE {table}",
            f"ALTER TABLE {table} DISABLE TRIGGER ALL",
            f"DROP TABLE {table}",
            f"COPY {table} FROM STDIN",
            f"DO $$ BEGIN LOCK TABLE {table} IN EXCLUSIVE MODE; END $$",
            f"SELECT * FROM {table} FOR SHARE",
        ):
            with pytest.raises(InsufficientPrivilege):
                run(getattr(filled, role), statement)


def test_not_even_the_owner_changes_the_log(filled: Database) -> None:
    for table, column in zip(LOG, ("state", "chain", "input_hash"), strict=True):
        for statement in (f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}", f"TRUNCATE {table}"):
            with pytest.raises(RestrictViolation, match="append-only"):
                filled.sql(statement)
    with pytest.raises(RestrictViolation, match="append-only"):
        filled.sql("TRUNCATE ledger.stored_events, ledger.blocks, ledger.commands")


def test_a_statement_that_hits_no_row_is_refused_as_well(database: Database) -> None:
    with pytest.raises(RestrictViolation):
        database.sql("DELETE FROM ledger.stored_events WHERE false")


@pytest.mark.parametrize("role", ["projector", "auditor"])
def test_others_cannot_append_nor_call_what_writes(filled: Database, role: str) -> None:
    with pytest.raises(InsufficientPrivilege), by_hand(getattr(filled, role)) as connection:
        append_by_hand(connection, some_events("b"))
    for call in (
        "ledger.put_snapshots('{a}', '{9}', '{1}', '{state}')",
        "ledger.put_data_key('b', 'wrapped')",
        "ledger.drop_stale_answers()",
        "ledger.load('{a}', '{1}')",
    ):
        with pytest.raises(InsufficientPrivilege):
            run(getattr(filled, role), f"SELECT {call}")


def test_the_writer_calls_what_it_needs_and_nothing_else(database: Database) -> None:
    """A function that a later migration adds is nobody's until it is granted."""
    allowed = {
        str(row[0])
        for row in database.sql(
            "SELECT p.oid::regprocedure::text FROM pg_proc p"
            " WHERE p.pronamespace = 'ledger'::regnamespace AND has_function_privilege(%s, p.oid, 'EXECUTE')",
            ROLES.writer,
        )
    }
    granted = {
        str(
            database.sql("SELECT %s::regprocedure::text", function.replace("timestamptz", "timestamp with time zone"))[
                0
            ][0]
        )
        for function in WRITER_FUNCTIONS
    }
    assert allowed == granted


def test_nothing_in_the_ledger_is_open_to_everybody(database: Database) -> None:
    rows = database.sql(
        "SELECT p.oid::regprocedure::text FROM pg_proc p JOIN LATERAL aclexplode(coalesce(p.proacl,"
        " acldefault('f', p.proowner))) a ON true WHERE a.grantee = 0"
        " AND p.pronamespace IN ('ledger'::regnamespace, 'content'::regnamespace)"
        " UNION ALL SELECT c.oid::regclass::text FROM pg_class c JOIN LATERAL aclexplode(c.relacl) a ON true"
        " WHERE a.grantee = 0 AND c.relnamespace IN ('ledger'::regnamespace, 'content'::regnamespace)"
    )
    assert rows == []


def test_functions_that_run_as_the_owner_fix_their_search_path(database: Database) -> None:
    """Else whoever calls them could have them find a table or an operator of his own."""
    rows = database.sql(
        "SELECT p.proname, p.proconfig FROM pg_proc p WHERE p.prosecdef AND p.pronamespace = 'ledger'::regnamespace"
    )
    assert rows
    assert all(config is not None and "search_path=pg_catalog, pg_temp" in config for _, config in rows)  # type: ignore[operator]


def test_the_auditor_reads_everything_but_data_keys_and_answers(filled: Database) -> None:
    for table in LEDGER:
        if table in ("ledger.data_keys", "content.answers"):
            with pytest.raises(InsufficientPrivilege):
                run(filled.auditor, f"SELECT * FROM {table}")
        else:
            run(filled.auditor, f"SELECT * FROM {table}")
    run(filled.auditor, "SELECT * FROM ledger.events")


def test_the_projector_reads_the_log_and_owns_the_read_schema(filled: Database) -> None:
    run(filled.projector, "SELECT * FROM ledger.stored_events")
    run(filled.projector, "CREATE TABLE read.mine (n int); INSERT INTO read.mine VALUES (1)")
    run(filled.auditor, "SELECT * FROM read.mine")
    run(filled.writer, "SELECT * FROM read.mine")
    for role in (filled.writer, filled.auditor):
        with pytest.raises(InsufficientPrivilege):
            run(role, "INSERT INTO read.mine VALUES (2)")
    with pytest.raises(InsufficientPrivilege):
        run(filled.projector, "SELECT * FROM ledger.data_keys")


@pytest.mark.parametrize("role", ROLE_NAMES)
def test_no_role_makes_objects_where_others_look(filled: Database, role: str) -> None:
    for schema in ("ledger", "content", "public"):
        with pytest.raises(InsufficientPrivilege):
            run(getattr(filled, role), f"CREATE TABLE {schema}.trap (n int)")


def test_the_state_of_an_event_is_readable_for_people(filled: Database) -> None:
    assert filled.sql("SELECT position, stream, version, tag, state FROM ledger.events") == [
        (1, "a", 1, "test.happened.v1", {})
    ]


# ---- making the roles


@pytest.fixture
def plain_owner(database: Database, server_dsn: str) -> Iterator[str]:
    """DSN of a role that owns the database's objects but may not create roles, as many hosters give it."""
    name = f"plain_{secrets.token_hex(4)}"
    database.sql(f"CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}'")
    yield conninfo(database.owner, user=name, password=PASSWORD)
    database.sql(f"DROP OWNED BY {name}")
    database.sql(f"DROP ROLE {name}")


def test_without_the_right_to_create_roles_everything_runs_as_one(plain_owner: str) -> None:
    names = Roles.of(f"none_{secrets.token_hex(4)}")
    assert ensure_roles(plain_owner, names, dict.fromkeys(names, PASSWORD)) is False
    with psycopg.connect(plain_owner) as connection:
        assert connection.execute("SELECT FROM pg_roles WHERE rolname = ANY (%s)", [list(names)]).rowcount == 0


def test_doing_it_again_changes_passwords_and_nothing_else(database: Database) -> None:
    names = Roles.of(f"again_{secrets.token_hex(4)}")
    try:
        assert ensure_roles(database.owner, names, dict.fromkeys(names, "first"))
        assert ensure_roles(database.owner, names, dict.fromkeys(names, "second's \\ password"))
        run(conninfo(database.owner, user=names.writer, password="second's \\ password"), "SELECT * FROM ledger.head")
        with pytest.raises(psycopg.OperationalError, match="password"):
            run(conninfo(database.owner, user=names.writer, password="first"), "SELECT 1")
    finally:
        for name in names:
            database.sql(f"DROP OWNED BY {name}")
            database.sql(f"DROP ROLE {name}")
