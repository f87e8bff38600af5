"""P4: a process that serves works with the login of its role: not with the owner's, not with another's."""

import base64
import secrets
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege

from adapters.operator_error import WRONG_INPUT, OperatorError
from adapters.outbound.postgres.wire.connection import conninfo, url_as
from adapters.settings import read_settings
from adapters.settings.settings import Settings
from adapters.wiring.database.database import Database, prepare_database
from adapters.wiring.database.own_login import open_as
from adapters.wiring.processes.hand_over import handed_to, taken_from
from tests.rigs.databases import empty_database


@pytest.fixture
def owner(server_dsn: str) -> Iterator[str]:
    with empty_database(server_dsn) as dsn:
        yield dsn


@pytest.fixture
def prepared(owner: str, tmp_path: Path) -> Database:
    return prepare_database(owner, settings_of(tmp_path, DATABASE_URL=owner))


def settings_of(home: Path, **environment: str) -> Settings:
    return read_settings({"GATEWAYZ_HOME": str(home), **environment})


def opened(process: str, home: Path, url: str, **environment: str) -> Database:
    return open_as(process, url, settings_of(home, DATABASE_URL=url, **environment))  # type: ignore[arg-type]


def who(info: str) -> str:
    with psycopg.connect(info) as connection:
        row = connection.execute("SELECT current_user").fetchone()
    assert row is not None
    return str(row[0])


def refusal(process: str, home: Path, url: str, **environment: str) -> str:
    with pytest.raises(OperatorError) as refused:
        opened(process, home, url, **environment)
    assert refused.value.exit_code == WRONG_INPUT
    return str(refused.value)


def test_each_process_works_with_its_own_login(prepared: Database, tmp_path: Path) -> None:
    assert prepared.roles is not None
    api = opened("api", tmp_path, prepared.logins.writer)
    assert who(api.writer("test")) == prepared.roles.writer
    projector = opened("projector", tmp_path, prepared.logins.projector, GATEWAYZ_WRITER_URL=prepared.logins.writer)
    assert who(projector.projector("test")) == prepared.roles.projector
    assert who(projector.writer("test")) == prepared.roles.writer
    assert projector.held_secrets is None, "it opens nothing that is sealed"
    for forbidden in (api.projector, api.auditor):
        with pytest.raises(OperatorError):
            forbidden("test")


@pytest.mark.parametrize("process", ["api", "projector"])
def test_the_owner_is_refused_and_a_superuser_is_one(prepared: Database, tmp_path: Path, process: str) -> None:
    line = refusal(process, tmp_path, prepared.dsn, GATEWAYZ_WRITER_URL=prepared.logins.writer)
    assert "logs in as postgres, who may change the log" in line
    assert f"gatewayz database-url {process}" in line
    assert "GATEWAYZ_ONE_ROLE=on" in line


@pytest.mark.parametrize(("process", "other"), [("api", "projector"), ("api", "auditor"), ("projector", "writer")])
def test_another_roles_login_is_refused(prepared: Database, tmp_path: Path, process: str, other: str) -> None:
    url = getattr(prepared.logins, other)
    assert f"logs in as {getattr(prepared.roles, other)}:" in refusal(process, tmp_path, url)


def test_a_role_that_was_given_the_ledger_is_refused(prepared: Database, tmp_path: Path) -> None:
    """The right name is not enough."""
    assert prepared.roles is not None
    with psycopg.connect(prepared.dsn, autocommit=True) as connection:
        connection.execute(f"GRANT {prepared.roles.owner} TO {prepared.roles.writer}".encode())
    assert "who may change the log" in refusal("api", tmp_path, prepared.logins.writer)


def test_a_projector_without_the_writers_login_says_so(prepared: Database, tmp_path: Path) -> None:
    assert "GATEWAYZ_WRITER_URL" in refusal("projector", tmp_path, prepared.logins.projector)
    told = refusal("projector", tmp_path, prepared.logins.projector, GATEWAYZ_WRITER_URL=prepared.dsn)
    assert told.startswith("GATEWAYZ_WRITER_URL of this process must log in as")


def test_one_role_is_a_setting_that_every_process_tells(prepared: Database, tmp_path: Path) -> None:
    for process in ("api", "projector"):
        database = opened(process, tmp_path, prepared.dsn, GATEWAYZ_ONE_ROLE="on")
        assert database.roles is None
        assert who(database.writer("test")) == "postgres"


def test_one_role_makes_none(owner: str, tmp_path: Path) -> None:
    made = prepare_database(owner, settings_of(tmp_path, DATABASE_URL=owner, GATEWAYZ_ONE_ROLE="on"))
    assert made.roles is None
    with psycopg.connect(owner) as connection:
        name = connection.info.dbname
        assert connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [f"{name}_writer"]).fetchone() is None


# ---- what `serve` hands its children


def test_a_child_is_handed_its_own_logins_and_secrets_alone(prepared: Database) -> None:
    assert prepared.roles is not None
    api, projector = taken_from(handed_to("api", prepared)), taken_from(handed_to("projector", prepared))
    assert (who(api.writer("t")), who(projector.projector("t"))) == (prepared.roles.writer, prepared.roles.projector)
    assert api.secrets.pepper == prepared.secrets.pepper
    assert api.secrets.admin_key == prepared.secrets.admin_key
    assert projector.held_secrets is None
    assert handed_to("sandbox", prepared) == ""
    for line in (handed_to("api", prepared), handed_to("projector", prepared)):
        assert prepared.secrets.derivation not in line
        assert str(psycopg.conninfo.conninfo_to_dict(prepared.dsn)["password"]) not in line
    assert prepared.secrets.pepper not in handed_to("projector", prepared)


REFUSED = {
    "UPDATE": "UPDATE ledger.stored_events SET state = ''",
    "DELETE": "DELETE FROM ledger.stored_events",
    "TRUNCATE": "TRUNCATE ledger.stored_events",
    "DISABLE TRIGGER": "ALTER TABLE ledger.stored_events DISABLE TRIGGER append_only",
    "replace the trigger's function": "CREATE OR REPLACE FUNCTION ledger.refuse_change() RETURNS trigger"
    " LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$",
    "COPY PROGRAM": "COPY (SELECT 1) TO PROGRAM 'cat'",
    "replication role": "SET session_replication_role = replica",
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("child", ["api", "projector"])
def test_from_inside_a_process_the_log_cannot_be_changed(prepared: Database, child: str, name: str) -> None:
    """With every login that it was handed."""
    logins = taken_from(handed_to(child, prepared)).logins
    for dsn in (logins.writer, logins.projector, logins.auditor):
        if dsn:
            with psycopg.connect(conninfo(dsn), autocommit=True) as connection, pytest.raises(InsufficientPrivilege):
                connection.execute(REFUSED[name].encode())


@pytest.mark.parametrize("other", ["projector", "auditor", "owner"])
def test_from_inside_the_api_no_other_role_is_reached(prepared: Database, other: str) -> None:
    """Not with what it was handed: no password of another role follows from it."""
    assert prepared.roles is not None
    api = taken_from(handed_to("api", prepared))
    role = getattr(prepared.roles, other)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(conninfo(url_as(api.dsn, role, api.secrets.password_of(role))))
    with psycopg.connect(conninfo(api.dsn), autocommit=True) as connection, pytest.raises(InsufficientPrivilege):
        connection.execute(f"SET ROLE {role}".encode())


def test_a_url_with_another_login_leads_to_the_same_place() -> None:
    for dsn, url in (
        ("postgresql://a:b@host:5433/db?sslmode=require", "postgresql://w:p%2F@host:5433/db?sslmode=require"),
        ("host=h dbname=d user=a", "postgresql://w:p%2F@h/d"),
        ("host=/run/pg dbname=d", "postgresql://w:p%2F@/d?host=%2Frun%2Fpg"),
        ("host=::1 port=5 dbname=d", "postgresql://w:p%2F@/d?host=%3A%3A1&port=5"),
    ):
        assert url_as(dsn, "w", "p/") == url
        assert psycopg.conninfo.conninfo_to_dict(url) == {
            **psycopg.conninfo.conninfo_to_dict(dsn),
            "user": "w",
            "password": "p/",
        }


def test_containers_that_lack_the_derivation_secret_cannot_derive(owner: str, tmp_path: Path) -> None:
    """The API's container has pepper and keyring, and its own login; the passwords follow from what `migrate` has."""
    ring = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    pepper, derivation = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    environment = {"GATEWAYZ_PEPPER": pepper, "GATEWAYZ_KEYRING": ring, "GATEWAYZ_DERIVATION_SECRET": derivation}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        made = prepare_database(owner, settings_of(tmp_path, DATABASE_URL=owner))
        patch.delenv("GATEWAYZ_DERIVATION_SECRET")
        api = opened("api", tmp_path, made.logins.writer)
    assert made.roles is not None
    assert api.secrets.password_of(made.roles.projector) not in made.logins.projector
