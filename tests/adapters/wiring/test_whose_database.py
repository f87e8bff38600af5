"""A database belongs to the secrets it was made with (P9): others are refused before anything is written."""

import base64
import secrets
from pathlib import Path

import psycopg
import pytest

from adapters.operator_error import OperatorError
from adapters.settings import read_settings
from adapters.settings.secrets import find_secrets
from adapters.settings.settings import Settings
from adapters.wiring.database.database import open_database, prepare_database
from tests.rigs.databases import Database


def fernet_key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


@pytest.fixture
def settings(database: Database, tmp_path: Path) -> Settings:
    return read_settings({"GATEWAYZ_HOME": str(tmp_path), "DATABASE_URL": database.owner})


def rewrite(home: Path, *keys: str, pepper: str | None = None) -> None:
    """Other secrets in the file than those that are there."""
    held = find_secrets(home, {})
    assert held is not None
    ring = ", ".join(f'"{key}"' for key in keys or held.keyring)
    (home / "secrets.json").write_text(f'{{"pepper": "{pepper or held.pepper}", "keyring": [{ring}]}}')


def test_the_first_start_makes_secrets_and_the_second_finds_them(database: Database, settings: Settings) -> None:
    first = prepare_database(database.owner, settings)
    second = prepare_database(database.owner, settings)
    assert first.secrets == second.secrets == open_database(database.owner, settings).secrets
    assert first.ledger_id == second.ledger_id
    assert second.applied == ()


def test_each_role_connects_with_its_derived_password(database: Database, settings: Settings) -> None:
    prepared = prepare_database(database.owner, settings)
    assert prepared.roles is not None
    for info, role in zip(
        (prepared.writer("test"), prepared.projector("test"), prepared.auditor("test")),
        prepared.roles.logins,
        strict=True,
    ):
        with psycopg.connect(info) as connection:
            assert connection.execute("SELECT current_user").fetchone() == (role,)


def test_other_secrets_are_refused(database: Database, settings: Settings) -> None:
    prepare_database(database.owner, settings)
    rewrite(settings.home, pepper="another pepper of more than 32 characters")
    for use in (prepare_database, open_database):
        with pytest.raises(OperatorError, match="was made with other secrets"):
            use(database.owner, settings)


def test_lost_secrets_are_not_replaced_by_new_ones(database: Database, settings: Settings) -> None:
    prepare_database(database.owner, settings)
    (settings.home / "secrets.json").unlink()
    with pytest.raises(OperatorError, match="was made with other secrets"):
        prepare_database(database.owner, settings)
    assert not (settings.home / "secrets.json").exists()
    with pytest.raises(OperatorError, match="no secrets"):
        open_database(database.owner, settings)


def test_the_keyring_can_be_rotated(database: Database, settings: Settings) -> None:
    old = prepare_database(database.owner, settings).secrets.keyring[0]
    new = fernet_key()
    rewrite(settings.home, new, old)
    open_database(database.owner, settings)
    prepare_database(database.owner, settings)
    rewrite(settings.home, new)
    prepare_database(database.owner, settings)
    rewrite(settings.home, old)
    with pytest.raises(OperatorError, match="was made with other secrets"):
        prepare_database(database.owner, settings)


def test_an_owner_who_may_not_create_roles_runs_everything(database: Database, settings: Settings) -> None:
    role = f"plain_{database.name}"
    database.sql(f"CREATE ROLE {role} LOGIN PASSWORD 'p' IN ROLE pg_read_all_data, pg_write_all_data")
    database.sql(f"CREATE DATABASE {database.name}_plain OWNER {role}")
    dsn = database.owner.rsplit("@", 1)[1].rsplit("/", 1)[0]
    try:
        prepared = prepare_database(f"postgresql://{role}:p@{dsn}/{database.name}_plain", settings)
        assert prepared.roles is None
        with psycopg.connect(prepared.writer("test")) as connection:
            assert connection.execute("SELECT current_user").fetchone() == (role,)
    finally:
        database.sql(f"DROP DATABASE {database.name}_plain WITH (FORCE)")
        database.sql(f"DROP ROLE {role}")


def test_a_changed_migration_is_named(database: Database, settings: Settings) -> None:
    database.sql("UPDATE public.schema_migrations SET sha256 = 'another' WHERE version = '0001'")
    with pytest.raises(OperatorError, match=r"cannot be migrated: 0001_ledger.sql was changed"):
        prepare_database(database.owner, settings)


@pytest.mark.parametrize("dsn", ["postgresql://me:secret-word@[host/db", "hostt=secret-word"])
def test_a_database_url_that_is_none_is_not_repeated(settings: Settings, dsn: str) -> None:
    with pytest.raises(OperatorError, match="DATABASE_URL is not a PostgreSQL URL") as told:
        prepare_database(dsn, settings)
    assert "secret-word" not in str(told.value)
