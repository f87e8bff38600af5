"""Rotating: everything that followed from an old secret follows from the new one, and the old one can go."""

import json
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from cryptography.fernet import Fernet

from adapters.embedded import AlreadySupervised
from adapters.embedded.durable import write_file
from adapters.embedded.supervisor_lock import SupervisorLock
from adapters.operator_error import OperatorError
from adapters.outbound.crypto.wrapping import Wrapping
from adapters.outbound.postgres.setup import rewrap_data_keys
from adapters.outbound.postgres.wire.connection import conninfo
from adapters.settings import read_settings
from adapters.settings.settings import Settings
from adapters.wiring.commands.rotate import rotate_derivation_secret, rotate_keyring
from adapters.wiring.database.database import open_database, prepare_database
from tests.rigs.databases import empty_database

PEPPER = "b61c7f03d95e4a8820fd13c69be7a45f72d0"
OLD, NEW = Fernet.generate_key(), Fernet.generate_key()


@pytest.fixture
def settings(server_dsn: str, tmp_path: Path) -> Iterator[Settings]:
    """Of an installation of the first version: no derivation secret, three data keys wrapped by Fernet."""
    with empty_database(server_dsn) as dsn:
        made = read_settings({"GATEWAYZ_HOME": str(tmp_path), "DATABASE_URL": dsn})
        keep(tmp_path, OLD)
        prepare_database(dsn, made)
        with psycopg.connect(dsn) as connection:
            for name in "abc":
                put(connection, name, Fernet(OLD).encrypt(data_key(name)))
        yield made


def keep(home: Path, *ring: bytes) -> None:
    write_file(home / "secrets.json", json.dumps({"pepper": PEPPER, "keyring": [key.decode() for key in ring]}))


def put(connection: "psycopg.Connection[object]", account: str, wrapped: bytes) -> None:
    connection.execute("INSERT INTO ledger.data_keys (account_id, wrapped) VALUES (%s, %s)", [account, wrapped])


def data_key(account: str) -> bytes:
    return account.encode() * 32


def wrapped_in(settings: Settings) -> dict[str, bytes]:
    with psycopg.connect(settings.database_url) as connection:
        return dict(connection.execute("SELECT account_id, wrapped FROM ledger.data_keys").fetchall())


def test_after_a_rotation_the_old_key_of_the_ring_is_not_needed(settings: Settings) -> None:
    keep(settings.home, NEW, OLD)
    assert rotate_keyring(settings) == (3, 3)
    keep(settings.home, NEW)
    for account, wrapped in wrapped_in(settings).items():
        assert Wrapping([NEW]).unwrap(account, wrapped) == data_key(account)
    open_database(settings.database_url, settings)


def test_it_is_harmless_to_repeat_and_goes_on_where_it_was_interrupted(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rewrap_data_keys, "PAGE", 2)
    keep(settings.home, NEW, OLD)
    with psycopg.connect(settings.database_url) as connection:
        broken = Fernet(Fernet.generate_key()).encrypt(data_key("c"))
        connection.execute("UPDATE ledger.data_keys SET wrapped = %s WHERE account_id = 'c'", [broken])
    with pytest.raises(OperatorError, match="opens the data key of account c"):
        rotate_keyring(settings)
    with psycopg.connect(settings.database_url) as connection:
        mended = Fernet(OLD).encrypt(data_key("c"))
        connection.execute("UPDATE ledger.data_keys SET wrapped = %s WHERE account_id = 'c'", [mended])
    assert rotate_keyring(settings) == (3, 1)
    assert rotate_keyring(settings) == (3, 0)


def test_what_somebody_else_changed_meanwhile_is_left_alone(settings: Settings) -> None:
    """An erasure between the look and the write must not be undone."""

    def erase(account_id: str, wrapped: bytes) -> bytes | None:
        with psycopg.connect(settings.database_url) as connection:
            connection.execute("DELETE FROM ledger.data_keys WHERE account_id = %s", [account_id])
        return b"fresh"

    assert rewrap_data_keys.rewrap_data_keys(settings.database_url, erase) == (3, 0)
    assert wrapped_in(settings) == {}


def test_no_process_may_rewrap(settings: Settings) -> None:
    database = open_database(settings.database_url, settings)
    for dsn in (database.logins.writer, database.logins.projector):
        with psycopg.connect(conninfo(dsn)) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("UPDATE ledger.data_keys SET wrapped = wrapped")


def test_a_new_derivation_secret_changes_admin_key_and_passwords_and_nothing_else(settings: Settings) -> None:
    before = open_database(settings.database_url, settings)
    rotate_derivation_secret(settings)
    after = open_database(settings.database_url, settings)
    assert before.secrets.admin_key != after.secrets.admin_key
    assert (before.secrets.pepper, before.secrets.keyring) == (after.secrets.pepper, after.secrets.keyring)
    psycopg.connect(conninfo(after.logins.writer)).close()
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(conninfo(before.logins.writer))
    assert after.secrets.derivation != PEPPER


def test_it_waits_for_nobody_who_runs(settings: Settings) -> None:
    with SupervisorLock(settings.home / "serve.lock"), pytest.raises(AlreadySupervised):
        rotate_derivation_secret(settings)


def test_one_that_comes_from_the_environment_is_the_operators_to_change(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATEWAYZ_DERIVATION_SECRET", PEPPER[::-1])
    with pytest.raises(OperatorError, match="set GATEWAYZ_DERIVATION_SECRET to another, run `gatewayz migrate`"):
        rotate_derivation_secret(settings)
