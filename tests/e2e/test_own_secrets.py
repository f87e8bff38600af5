"""P4: what each process of a `serve` holds, seen from outside: its own secrets; no live key beside real providers."""

import json
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from adapters.embedded.postgres import EmbeddedPostgres
from tests.rigs.installation.installation import Installation, installation

PROVIDER_KEY = "sk-not-a-real-key-of-a-provider"


@pytest.fixture(scope="module")
def house() -> Iterator[Installation]:
    """The sandbox beside a provider's key."""
    with installation(GATEWAYZ_SANDBOX="on", OPENAI_API_KEY=PROVIDER_KEY) as made:
        made.start()
        yield made


def environment_of(house: Installation, program: str) -> str:
    return Path(f"/proc/{house.children(program)[0]}/environ").read_bytes().decode()


def secrets_of(house: Installation) -> list[str]:
    held = json.loads((house.home / "secrets.json").read_text())
    password = (house.home / "postgres/pg.password").read_text().strip()
    return [held["pepper"], *held["keyring"], held["derivation_secret"], password, house.credentials["admin_key"]]


def test_p4_no_process_has_a_secret_of_the_installation_in_its_environment(house: Installation) -> None:
    for program in ("supervised api", "supervised projector", "embedded.sandbox"):
        seen = environment_of(house, program)
        assert "PATH=" in seen
        assert not [secret for secret in secrets_of(house) if secret in seen], program


def test_p4_a_provider_s_key_is_seen_by_api_processes_alone(house: Installation) -> None:
    assert PROVIDER_KEY in environment_of(house, "supervised api")
    for program in ("supervised projector", "embedded.sandbox"):
        assert PROVIDER_KEY not in environment_of(house, program)


def test_p4_beside_a_provider_there_is_no_demo_account(house: Installation) -> None:
    assert house.credentials["demo_key"] == ""
    assert "gatewayz account create" in house.told
    assert house.command("account", "show", "demo").returncode == 1


def test_p4_nothing_logs_in_as_the_owner_once_everything_runs(house: Installation) -> None:
    """By PostgreSQL's own list of sessions."""
    dsn = EmbeddedPostgres(house.home / "postgres").attach()
    assert dsn is not None
    with psycopg.connect(dsn) as connection:
        rows = connection.execute(
            "SELECT DISTINCT usename FROM pg_stat_activity"
            " WHERE datname = 'gatewayz' AND backend_type = 'client backend'"
        ).fetchall()
    assert {name for (name,) in rows} == {"gatewayz_writer", "gatewayz_projector"}
