"""P4, P7: nobody but the append writes the log: what each database role may do, and what not even the owner may."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege, ReadOnlySqlTransaction, RestrictViolation

from adapters.outbound.postgres.setup.ensure_database import ensure_database
from adapters.outbound.postgres.setup.ensure_roles import WRITER_FUNCTIONS, Roles, ensure_roles
from adapters.outbound.postgres.setup.migrate import migrate
from adapters.outbound.postgres.wire.connection import conninfo
from adapters.outbound.postgres.wire.locks import STREAM_SEED
from tests.rigs.databases import PASSWORD, ROLES, Database, TestServer, empty_database
from tests.rigs.postgres.layout_of_0_1 import make_roles_of_0_1
from tests.rigs.postgres.ledgers import append_by_hand, by_hand, some_events

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
    """As a session that sets what it may: the auditor's defaults are no bound, what was granted is."""
    with psycopg.connect(info, autocommit=True) as connection:
        connection.execute("SET default_transaction_read_only = off")
        connection.execute(statement.encode())


def ask(info: str, question: str) -> object:
    with psycopg.connect(info, autocommit=True) as connection:
        row = connection.execute(question.encode()).fetchone()
    return row and row[0]


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
        str(database.sql("SELECT %s::regproc::regprocedure::text", function)[0][0]) for function in WRITER_FUNCTIONS
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


# ---- what one role may do to the others


ELSEWHERE = {
    "a lock that appends wait for": f"SELECT pg_advisory_lock(hashtextextended('credit-a', {STREAM_SEED}))",
    "the same, tried": "SELECT pg_try_advisory_lock(1)",
    "the same, shared": "SELECT pg_advisory_xact_lock_shared(1, 2)",
    "a large object": "SELECT lo_from_bytea(0, 'x')",
    "an empty large object": "SELECT lo_create(0)",
    "a schema": "CREATE SCHEMA mine",
    "a program": "COPY (SELECT 1) TO PROGRAM 'cat'",
    "a file": "COPY (SELECT 1) TO '/tmp/nowhere'",
    "a file read": "SELECT pg_read_file('postgresql.conf')",
    "passwords": "SELECT * FROM pg_authid",
    "sessions": "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename <> current_user AND pid > 0",
    "another role": f"SET ROLE {ROLES.owner}",
    "a new role": "CREATE ROLE mine",
    "triggers": "SET session_replication_role = replica",
}
NEEDED_BY_OTHERS = {name for name in ELSEWHERE if "lock" in name or "the same" in name}


@pytest.mark.parametrize("role", ROLE_NAMES)
@pytest.mark.parametrize("name", ELSEWHERE)
def test_what_no_grant_on_a_table_bounds_is_refused_as_well(filled: Database, role: str, name: str) -> None:
    """Advisory locks stop appends, turns and migrations: only who writes with them may take them."""
    if name in NEEDED_BY_OTHERS and role != "auditor":
        run(getattr(filled, role), ELSEWHERE[name])
        return
    with by_hand(filled.owner), pytest.raises(InsufficientPrivilege):  # beside a session of another's
        run(getattr(filled, role), ELSEWHERE[name])


@pytest.mark.parametrize("role", ROLE_NAMES)
@pytest.mark.parametrize("other", ROLES)
def test_no_role_becomes_another_nor_takes_its_password(filled: Database, role: str, other: str) -> None:
    if other == f"{ROLES.owner.removesuffix('_owner')}_{role}":
        return
    for statement in (f"SET ROLE {other}", f"SET SESSION AUTHORIZATION {other}", f"ALTER ROLE {other} PASSWORD 'mine'"):
        with pytest.raises(InsufficientPrivilege):
            run(getattr(filled, role), statement)


def test_the_auditor_reads_in_read_only_transactions_with_bounds(database: Database) -> None:
    with pytest.raises(ReadOnlySqlTransaction), psycopg.connect(database.auditor) as connection:
        connection.execute("CREATE TABLE read.mine (n int)")
    for name in ("statement_timeout", "idle_in_transaction_session_timeout", "idle_session_timeout"):
        assert ask(database.auditor, f"SHOW {name}") not in ("0", None), name


def test_neither_auditor_nor_projector_takes_every_connection(database: Database) -> None:
    """What they leave is the writer's; where the server keeps some back, those are the writer's too."""
    limits = dict(database.sql("SELECT rolname, rolconnlimit FROM pg_roles WHERE rolname = ANY (%s)", list(ROLES)))
    assert limits[ROLES.auditor] > 0 and limits[ROLES.projector] > 0
    assert limits[ROLES.auditor] + limits[ROLES.projector] < 100
    assert limits[ROLES.writer] == -1
    assert int(str(ask(database.owner, "SHOW reserved_connections"))) >= 20
    assert ask(database.owner, f"SELECT pg_has_role('{ROLES.writer}', 'pg_use_reserved_connections', 'USAGE')") is True
    for role in (ROLES.auditor, ROLES.projector):
        assert ask(database.owner, f"SELECT pg_has_role('{role}', 'pg_use_reserved_connections', 'USAGE')") is False


# ---- whose the ledger is


OWNERS = """
SELECT DISTINCT pg_get_userbyid(owner) FROM (
    SELECT relowner FROM pg_class WHERE relnamespace IN ('ledger'::regnamespace, 'content'::regnamespace)
    UNION ALL SELECT proowner FROM pg_proc WHERE pronamespace IN ('ledger'::regnamespace, 'content'::regnamespace)
    UNION ALL SELECT typowner FROM pg_type WHERE typnamespace IN ('ledger'::regnamespace, 'content'::regnamespace)
    UNION ALL SELECT nspowner FROM pg_namespace WHERE nspname IN ('ledger', 'content')
    UNION ALL SELECT relowner FROM pg_class
               WHERE oid IN ('public.schema_migrations'::regclass, 'public.schema_functions'::regclass)
) AS every (owner)
"""


def test_the_ledger_belongs_to_a_role_that_cannot_log_in(database: Database) -> None:
    assert database.sql(OWNERS) == [(ROLES.owner,)]
    assert database.sql(
        "SELECT rolcanlogin, rolsuper, rolcreaterole, rolcreatedb, rolbypassrls FROM pg_roles WHERE rolname = %s",
        ROLES.owner,
    ) == [(False,) * 5]


# ---- making the roles


def drop_roles(database: Database, names: Roles) -> None:
    for name in names:
        database.sql(f"REASSIGN OWNED BY {name} TO CURRENT_USER")
        database.sql(f"DROP OWNED BY {name}")
        database.sql(f"DROP ROLE {name}")


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
        drop_roles(database, names)


@pytest.fixture
def login(server_dsn: str) -> Iterator[str]:
    """A role that may create roles and is no superuser, gone after what it made."""
    name = f"login_{secrets.token_hex(4)}"
    run(server_dsn, f"CREATE ROLE {name} LOGIN CREATEROLE PASSWORD '{PASSWORD}'")
    yield name
    run(server_dsn, f"DROP ROLE {name}")


@pytest.fixture
def empty(login: str, server_dsn: str) -> Iterator[str]:
    with empty_database(server_dsn) as dsn:
        run(dsn, f"ALTER DATABASE {dsn.rsplit('/', 1)[1]} OWNER TO {login}")
        yield dsn


@pytest.fixture
def of_0_1(login: str, empty: str) -> tuple[str, Roles]:
    """A database whose roles the first version made; its owner is no superuser."""
    owner, name = conninfo(empty, user=login, password=PASSWORD), empty.rsplit("/", 1)[1]
    migrate(owner)
    make_roles_of_0_1(owner, name, PASSWORD)
    return owner, Roles.of(name)


def test_a_database_of_the_first_version_is_brought_over(of_0_1: tuple[str, Roles], empty: str) -> None:
    owner, names = of_0_1
    writer = conninfo(owner, user=names.writer, password=PASSWORD)
    with by_hand(writer) as connection:
        append_by_hand(connection, some_events("a"))
        connection.commit()
    for _ in range(2):
        assert ensure_roles(owner, names, dict.fromkeys(names, "another"))
        assert migrate(owner) == []
    with psycopg.connect(empty) as connection:
        assert connection.execute(OWNERS.encode()).fetchall() == [(names.owner,)]
    writer = conninfo(owner, user=names.writer, password="another")
    with by_hand(writer) as connection:
        append_by_hand(connection, some_events("b"))
        connection.commit()
    assert ask(conninfo(owner, user=names.auditor, password="another"), "SELECT position FROM ledger.head") == 2
    for statement in (
        "ALTER TABLE ledger.stored_events DISABLE TRIGGER append_only",
        "DELETE FROM ledger.stored_events",
        "CREATE TEMP TABLE mine (n int)",
    ):
        for role in names.logins:
            with pytest.raises(InsufficientPrivilege):
                run(conninfo(owner, user=role, password="another"), statement)


def test_a_later_migration_may_still_change_what_is_there(of_0_1: tuple[str, Roles]) -> None:
    owner, names = of_0_1
    assert ensure_roles(owner, names, dict.fromkeys(names, PASSWORD))
    run(owner, "ALTER TABLE ledger.stored_events ADD COLUMN later int")
    run(owner, "CREATE TABLE ledger.later (n int); CREATE FUNCTION ledger.later() RETURNS int RETURN 1")
    assert ensure_roles(owner, names, dict.fromkeys(names, PASSWORD))
    assert (
        ask(owner, "SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = 'ledger.later'::regclass") == names.owner
    )
    run(conninfo(owner, user=names.auditor, password=PASSWORD), "SELECT * FROM ledger.later")
    with pytest.raises(InsufficientPrivilege):
        run(conninfo(owner, user=names.auditor, password=PASSWORD), "SELECT ledger.later()")


@pytest.fixture
def logging(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A server that logs every statement: its DSN and its log."""
    tmp_path.chmod(0o711)
    server = TestServer(log_statement="all")
    yield server.dsn, server.home / "pg/postgres.log"
    server.stop()


def test_in_a_server_of_our_own_the_other_databases_are_closed(logging: tuple[str, Path]) -> None:
    """What our roles may not do in our database (locks aside, which are a database's own) they could do there."""
    dsn, _ = logging
    for _ in range(2):
        ensure_database(dsn.rsplit("/", 1)[0] + "/ours")
    run(dsn, f"CREATE ROLE someone LOGIN PASSWORD '{PASSWORD}'")
    for other in ("postgres", "template1"):
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            psycopg.connect(conninfo(dsn.rsplit("/", 1)[0] + f"/{other}", user="someone", password=PASSWORD))


def test_no_password_of_a_role_reaches_the_server_s_log(logging: tuple[str, Path]) -> None:
    """Nor does a login that may not create roles leave a statement about them."""
    dsn, log = logging
    assert "ALTER ROLE" in log.read_text() or "CREATE ROLE" in log.read_text()
    assert PASSWORD not in log.read_text()
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("CREATE ROLE plain LOGIN")
        assert connection.execute("SELECT count(*) FROM pg_authid WHERE rolpassword LIKE 'SCRAM-SHA-256$%'").fetchone()
        connection.execute("SET SESSION AUTHORIZATION plain")
    before = log.read_text().count("CREATE ROLE")
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("ALTER ROLE plain PASSWORD 'p'")
    assert ensure_roles(conninfo(dsn, user="plain", password="p"), Roles.of("never"), {}) is False
    assert log.read_text().count("CREATE ROLE") == before
