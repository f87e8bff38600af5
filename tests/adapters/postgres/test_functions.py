"""Each function of the ledger is whole in one file, and replaced under running processes without losing its owner, its
grants or a call (migrations/README.md)."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from adapters.outbound.postgres.setup import retry_locked as retrying
from adapters.outbound.postgres.setup.apply_functions import FunctionFile, apply_functions, function_files
from adapters.outbound.postgres.setup.ensure_roles import ensure_roles
from adapters.outbound.postgres.setup.migrate import migrate, migrations
from adapters.outbound.postgres.wire.locks import SETUP, STREAM_SEED
from tests.domain.credit_words import grant
from tests.golden.logs.test_golden_logs import EmptyDatabase, restore
from tests.golden.logs.told import golden_logs
from tests.rigs.databases import PASSWORD, ROLES, Database, empty_database
from tests.rigs.postgres.ledgers import credit, running

FILES = list(function_files())
DEFINED = re.compile(r"^CREATE OR REPLACE FUNCTION (\w+\.\w+)\(", re.MULTILINE)

PROPERTIES = """
SELECT p.oid, p.oid::regprocedure::text, pg_get_userbyid(p.proowner), p.proacl::text, p.prosecdef, p.proconfig,
       p.provolatile, p.proparallel, l.lanname
  FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
 WHERE p.pronamespace IN ('ledger'::regnamespace, 'content'::regnamespace) ORDER BY 2
"""
"""What `\\df+` shows of a function, besides its text."""

TEXTS = """
SELECT oid::regprocedure::text, pg_get_functiondef(oid) FROM pg_proc
 WHERE pronamespace IN ('ledger'::regnamespace, 'content'::regnamespace) ORDER BY 1
"""


@pytest.fixture
def empty(server_dsn: str) -> Iterator[str]:
    """DSN of a database in which nothing is."""
    with empty_database(server_dsn) as dsn:
        yield dsn


def texts(dsn: str) -> list[tuple[str, str]]:
    with psycopg.connect(dsn) as connection:
        return connection.execute(TEXTS.encode()).fetchall()


def release_with(*changed: FunctionFile) -> list[FunctionFile]:
    """The shipped files, with `changed` in place of those of the same name or beside them."""
    return list(({file.name: file for file in FILES} | {file.name: file for file in changed}).values())


def with_comment(file: FunctionFile, comment: str) -> FunctionFile:
    """Another text, inside the body, that does the same."""
    return file._replace(sql=file.sql.replace("AS $$\n", f"AS $$\n-- {comment}\n", 1))


def all_with_comment(comment: str) -> list[FunctionFile]:
    return [with_comment(file, comment) for file in FILES]


def apply(database: Database, files: list[FunctionFile]) -> list[str]:
    with psycopg.connect(database.owner, autocommit=True) as connection:
        return apply_functions(connection, files)


def test_every_function_has_a_file_of_its_name_that_defines_it_alone(database: Database) -> None:
    defined = {file.name: DEFINED.findall(file.sql) for file in FILES}
    assert defined == {file.name: [f"ledger.{Path(file.name).stem}"] for file in FILES}
    known = [
        name
        for (name,) in database.sql(
            "SELECT oid::regproc::text FROM pg_proc WHERE pronamespace IN"
            " ('ledger'::regnamespace, 'content'::regnamespace)"
        )
    ]
    assert sorted(known) == sorted(name for names in defined.values() for name in names), "two signatures of one name?"


def test_after_the_fourth_no_numbered_file_has_a_function() -> None:
    later = [m for m in migrations() if m.version > "0004"]
    assert [m.name for m in later if re.search(r"\bFUNCTION\b", m.sql, re.IGNORECASE)] == []


def test_what_runs_as_the_owner_names_its_search_path() -> None:
    for file in FILES:
        if "SECURITY DEFINER" in file.sql:
            assert "SET search_path = pg_catalog, pg_temp" in file.sql, file.name


def test_the_seed_of_a_stream_s_lock_is_that_of_the_table_of_locks() -> None:
    (file,) = [file for file in FILES if file.name == "functions/stream_lock_key.sql"]
    assert f"hashtextextended(stream, {STREAM_SEED})" in file.sql


def test_they_are_applied_after_the_numbered_files_and_once(empty: str) -> None:
    applied = migrate(empty)
    assert applied == [m.name for m in migrations()] + [file.name for file in FILES]
    with psycopg.connect(empty) as connection:
        recorded = connection.execute("SELECT name, sha256 FROM public.schema_functions ORDER BY name").fetchall()
    assert recorded == [(file.name, file.sha256) for file in FILES]
    assert migrate(empty) == []


def test_one_whose_text_changed_is_applied_again_and_keeps_all_but_its_text(database: Database) -> None:
    before, text_before = database.sql(PROPERTIES), texts(database.owner)
    assert apply(database, all_with_comment("another")) == [file.name for file in FILES]
    assert database.sql(PROPERTIES) == before
    now = texts(database.owner)
    assert [new == old for new, old in zip(now, text_before, strict=True)] == [False] * len(FILES)
    assert ensure_roles(database.owner, ROLES, dict.fromkeys(ROLES, PASSWORD))
    assert database.sql(PROPERTIES) == before
    assert len(before) == len(FILES)
    assert {row[2] for row in before} == {ROLES.owner}


def test_a_release_before_that_migrates_again_does_not_bring_its_text_back(database: Database) -> None:
    apply(database, all_with_comment("the next release"))
    in_force = texts(database.owner)
    assert migrate(database.owner) == []
    assert texts(database.owner) == in_force


def test_of_those_that_fail_together_none_is_applied(database: Database) -> None:
    before = texts(database.owner)
    bad = FunctionFile("functions/zz_bad.sql", "CREATE OR REPLACE FUNCTION ledger.zz_bad() RETURNS int RETURN 1 / ''")
    with pytest.raises(psycopg.Error):
        apply(database, [*all_with_comment("another"), bad])
    assert texts(database.owner) == before
    assert migrate(database.owner) == []


def test_a_new_one_is_closed_to_everybody(database: Database) -> None:
    new = FunctionFile("functions/later.sql", "CREATE OR REPLACE FUNCTION ledger.later() RETURNS int RETURN 1")
    assert apply(database, release_with(new)) == ["functions/later.sql"]
    for dsn in (database.writer, database.projector, database.auditor):
        with psycopg.connect(dsn) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SELECT ledger.later()")


def test_it_waits_for_roles_that_are_being_made(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both change the functions' rows in the catalog, where the second would fail instead of waiting."""
    monkeypatch.setattr(retrying, "CHANGE_LOCK_TIMEOUT", "50ms")
    monkeypatch.setattr(retrying, "CHANGE_TRIES", 2)
    before = texts(database.owner)
    with psycopg.connect(database.owner) as other:
        other.execute("SELECT pg_advisory_xact_lock(%s)", [SETUP])
        with pytest.raises(psycopg.errors.LockNotAvailable):
            apply(database, all_with_comment("another"))
        assert texts(database.owner) == before
    assert apply(database, all_with_comment("another")) == [file.name for file in FILES]


ROUNDS = 20


async def test_P1_appends_go_on_while_functions_are_replaced(database: Database) -> None:
    """An API process of the release before, with its prepared statements, through many upgrades at once."""
    replaced = asyncio.Event()

    async def upgrade() -> None:
        for n in range(ROUNDS):
            await asyncio.to_thread(apply, database, all_with_comment(f"release {n}"))
        replaced.set()

    appended = 0
    async with running(database.writer) as ledger, asyncio.TaskGroup() as group:
        group.create_task(upgrade())
        while not replaced.is_set():
            await credit(ledger, f"a{appended % 7}", grant(f"lot-{appended}", 1))
            appended += 1
    assert appended > ROUNDS
    assert database.sql("SELECT position FROM ledger.head") == [(appended,)]


# ---- in the databases of earlier versions


@pytest.fixture(params=golden_logs(), ids=lambda log: log.folder.name)
def earlier(request: pytest.FixtureRequest, server_dsn: str) -> Iterator[Database]:
    """The database of an earlier version as it was left, not yet migrated."""
    database = EmptyDatabase(server_dsn)
    restore(request.param, database)
    yield database
    database.drop()


def test_what_an_earlier_version_calls_is_there_under_the_same_identity_after_the_upgrade(earlier: Database) -> None:
    """Its processes go on calling by the signature, with prepared statements that know the function's oid."""
    before = earlier.sql(
        "SELECT oid, oid::regprocedure::text, prorettype FROM pg_proc WHERE pronamespace IN"
        " ('ledger'::regnamespace, 'content'::regnamespace) ORDER BY 1"
    )
    grants = {row[1]: row[2:4] for row in earlier.sql(PROPERTIES)}
    migrate(earlier.owner)
    after = earlier.sql(
        "SELECT oid, oid::regprocedure::text, prorettype FROM pg_proc WHERE oid = ANY (%s) ORDER BY 1",
        [oid for oid, _, _ in before],
    )
    assert after == before
    assert {row[1]: row[2:4] for row in earlier.sql(PROPERTIES) if row[1] in grants} == grants


def test_functions_after_an_upgrade_are_those_of_a_new_installation(earlier: Database, database: Database) -> None:
    migrate(earlier.owner)
    assert texts(earlier.owner) == texts(database.owner)
    ensure_roles(earlier.owner, ROLES, dict.fromkeys(ROLES, PASSWORD))
    assert [row[1:] for row in earlier.sql(PROPERTIES)] == [row[1:] for row in database.sql(PROPERTIES)]
