"""Migrations are applied once, in order, by one process at a time, and never changed afterwards."""

import hashlib
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from adapters.outbound.postgres.setup import migrate as migrating
from adapters.outbound.postgres.setup.ensure_roles import Roles, ensure_roles
from adapters.outbound.postgres.setup.migrate import Migration, MigrationFault, migrate, migrations
from adapters.outbound.postgres.wire.locks import MIGRATE
from tests.rigs.databases import PASSWORD, empty_database


@pytest.fixture
def empty(server_dsn: str) -> Iterator[str]:
    """DSN of a database in which nothing is."""
    with empty_database(server_dsn) as dsn:
        yield dsn


def test_every_migration_is_applied_once(empty: str) -> None:
    names = [m.name for m in migrations()]
    assert migrate(empty)[: len(names)] == names
    assert migrate(empty) == []
    with psycopg.connect(empty) as connection:
        assert connection.execute("SELECT name FROM public.schema_migrations ORDER BY version").fetchall() == [
            (name,) for name in names
        ]


def test_of_several_that_start_at_once_one_does_the_work(empty: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        applied = [future.result() for future in [pool.submit(migrate, empty) for _ in range(4)]]
    assert sorted(map(bool, applied)) == [False, False, False, True]


def test_a_file_that_was_changed_after_it_was_applied_is_refused(empty: str) -> None:
    migrate(empty)
    with psycopg.connect(empty, autocommit=True) as connection:
        connection.execute("UPDATE public.schema_migrations SET sha256 = 'other' WHERE version = '0001'")
    with pytest.raises(MigrationFault, match=r"0001_.* was changed after it was applied"):
        migrate(empty)


def test_one_that_fails_leaves_nothing_of_itself(empty: str, monkeypatch: pytest.MonkeyPatch) -> None:
    good = Migration("0001", "0001_good.sql", "CREATE TABLE good (n int)")
    bad = Migration("0002", "0002_bad.sql", "CREATE TABLE bad (n int); SELECT 1 / 0")
    monkeypatch.setattr(migrating, "migrations", lambda: iter([good, bad]))
    with pytest.raises(psycopg.errors.DivisionByZero):
        migrate(empty)
    with psycopg.connect(empty) as connection:
        assert connection.execute("SELECT to_regclass('good') IS NULL, to_regclass('bad') IS NULL").fetchone() == (
            False,
            True,
        )


def test_a_migration_that_never_ends_elsewhere_is_not_waited_for_for_ever(
    empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrating, "WAIT_S", 0.3)
    with psycopg.connect(empty, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [MIGRATE])
        with pytest.raises(MigrationFault, match="another process"):
            migrate(empty)


RELEASED = {
    "0001_ledger.sql": "6f82512a4745639df4368ade93516dc64a9dec117bdf4b28c7a2000a9e452b15",
    "0002_append.sql": "088d8602168edc300135e997c4ab05dd94a28618ad96ab25db764c394f19e357",
    "0003_freeze_early.sql": "0f2de370ce483c5b3363de3d713a36192223fee51e2f520295e0454bb5986f0a",
    "0004_append_looks_up.sql": "d57ab04c397ef92e7c5ce1d818da584ba298fb03b534da6a0c2f5fad86623ab4",
}
"""Databases have their checksums: an altered file is refused by every one of them."""


def test_checksums_are_of_what_is_shipped() -> None:
    for migration in migrations():
        assert migration.sha256 == hashlib.sha256(migration.sql.encode()).hexdigest()


def test_a_file_that_was_released_stays_byte_for_byte() -> None:
    shipped = {m.name: m.sha256 for m in migrations()}
    assert {name: shipped.get(name) for name in RELEASED} == RELEASED


def test_roles_are_made_by_several_at_once(empty: str) -> None:
    """Two containers that start together, on a new cluster and again on a known one."""
    migrate(empty)
    names = Roles.of(f"both_{secrets.token_hex(4)}")
    try:
        for _ in range(3):
            with ThreadPoolExecutor(4) as pool:
                made = [pool.submit(ensure_roles, empty, names, dict.fromkeys(names, PASSWORD)) for _ in range(4)]
            assert [future.result() for future in made] == [True] * 4
    finally:
        with psycopg.connect(empty, autocommit=True) as connection:
            for name in names:
                connection.execute(f"REASSIGN OWNED BY {name} TO CURRENT_USER".encode())
                connection.execute(f"DROP OWNED BY {name}".encode())
                connection.execute(f"DROP ROLE {name}".encode())
