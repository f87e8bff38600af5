"""P9: what cannot be started is told in one clear line, with an exit code, and leaves nothing running."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rigs.installation.installation import Installation, installation

UNREACHABLE = "postgresql://owner:secret-word@127.0.0.1:1/nowhere"


@pytest.fixture
def house() -> Iterator[Installation]:
    with installation() as made:
        yield made


def refused(house: Installation, *arguments: str, **settings: str) -> str:
    """The one line it gave up with."""
    done = house.command(*(arguments or ("serve",)), **settings)
    assert done.returncode in (1, 2), done
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("gatewayz: ")
    assert house.leaves_nothing_running()
    return lines[0]


def test_p9_a_used_port(house: Installation) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        line = refused(house, GATEWAYZ_PORT=port)
    assert f"port {port} on 127.0.0.1 is in use" in line
    assert "GATEWAYZ_PORT" in line
    assert not house.home.exists(), "nothing was touched"


def test_p9_a_home_that_cannot_be_made(house: Installation) -> None:
    house.home.write_text("a file where the home should be")
    assert str(house.home) in refused(house)


def test_p9_an_unreachable_database_url(house: Installation) -> None:
    line = refused(house, DATABASE_URL=UNREACHABLE)
    assert "cannot reach the database 127.0.0.1:1/nowhere" in line
    assert "secret-word" not in line


def test_p9_a_setting_that_cannot_be_used(house: Installation) -> None:
    assert "GATEWAYZ_WORKERS='many'" in refused(house, GATEWAYZ_WORKERS="many")


def test_p9_a_bad_providers_file(house: Installation, tmp_path: Path) -> None:
    file = tmp_path / "providers.toml"
    file.write_text(
        '[providers.acme]\nbase_url = "https://api.acme.example/v1"\napi_key = "k"\nmodels = [{id = "acme"}]\n'
    )
    line = refused(house, GATEWAYZ_PROVIDERS_FILE=str(file))
    assert "providers.acme" in line


def test_p9_a_providers_file_with_a_price_that_is_none(house: Installation, tmp_path: Path) -> None:
    """Known only to the process that loads the catalog: its line is the one."""
    file = tmp_path / "providers.toml"
    row = '[providers.acme]\nbase_url = "https://api.acme.example/v1"\napi_key = "k"\n'
    file.write_text(row + '[[providers.acme.models]]\nid = "acme/m"\nnative_id = "m"\nprice = {input = "dear"}\n')
    assert "providers.acme.models[0]" in refused(house, GATEWAYZ_PROVIDERS_FILE=str(file))


def test_p9_secrets_that_are_another_databases(house: Installation) -> None:
    assert house.command("migrate").returncode == 0
    (house.home / "secrets.json").unlink()
    line = refused(house)
    assert "was made with other secrets" in line
    assert "secrets.json" in line
    assert not (house.home / "secrets.json").exists(), "no new secrets in place of the lost ones"


def test_p9_verbs_that_need_something_running_say_so(house: Installation) -> None:
    assert "no Gatewayz answers at" in refused(house, "demo", GATEWAYZ_PORT="1")
    assert "nothing was started in" in refused(house, "verify")
    assert not house.home.exists()


def test_p9_credentials_of_an_instance_that_never_ran(house: Installation) -> None:
    assert "nothing was started in" in refused(house, "credentials", "demo_key")


def test_p9_a_misspelt_setting(house: Installation) -> None:
    assert "is GATEWAYZ_WORKERS meant?" in refused(house, GATEWAYZ_WROKERS="2")


def test_p9_a_verb_about_an_account_that_is_not_there(house: Installation) -> None:
    house.start()
    done = house.command("statement", "alice")
    assert (done.returncode, done.stderr) == (1, "gatewayz: There is no such account (alice).\n")
    done = house.command("grant", "demo", "1", "--reason", "short")
    assert done.stderr == "gatewayz: reason must have 10 to 500 characters\n"
