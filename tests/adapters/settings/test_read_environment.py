"""Settings: one typed place, from the environment, with mistakes told by name."""

from pathlib import Path

import pytest

from adapters.operator_error import WRONG_INPUT, OperatorError
from adapters.settings import ignored_names, read_provider_keys, read_settings
from adapters.settings.choose_home import HOMES_OF_ROOT, choose_home


def test_every_setting_has_a_default(tmp_path: Path) -> None:
    settings = read_settings({"GATEWAYZ_HOME": str(tmp_path)})
    assert (settings.host, settings.port, settings.workers) == ("127.0.0.1", 8000, 1)
    assert settings.reservation_grace_s == 900
    assert (settings.request_deadline_s, settings.stream_deadline_s, settings.read_on_s) == (600, 3600, 30)
    assert (settings.keep_answers_s, settings.max_body_bytes, settings.drain_s) == (86_400, 32 * 1024 * 1024, 30)


def test_values_are_read_by_type(tmp_path: Path) -> None:
    settings = read_settings(
        {
            "GATEWAYZ_HOME": str(tmp_path),
            "GATEWAYZ_PORT": "9000",
            "GATEWAYZ_DRAIN_S": "0.5",
            "GATEWAYZ_SANDBOX": "off",
            "GATEWAYZ_PROVIDERS_FILE": "~/providers.toml",
            "DATABASE_URL": "postgresql://me@here/db",
            "PG_BINDIR": "/opt/pg/bin",
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318",
        }
    )
    assert (settings.port, settings.drain_s, settings.sandbox) == (9000, 0.5, "off")
    assert settings.providers_file == Path.home() / "providers.toml"
    assert settings.database_url == "postgresql://me@here/db"
    assert settings.pg_bindir == Path("/opt/pg/bin")
    assert settings.otlp_endpoint == "http://collector:4318"


def test_an_empty_variable_counts_as_not_set(tmp_path: Path) -> None:
    assert read_settings({"GATEWAYZ_HOME": str(tmp_path), "GATEWAYZ_PORT": ""}).port == 8000


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("GATEWAYZ_PORT", "eighty", "must be a whole number"),
        ("GATEWAYZ_PORT", "70000", "must be at most 65535"),
        ("GATEWAYZ_WORKERS", "0", "must be at least 1"),
        ("GATEWAYZ_SANDBOX", "maybe", "must be one of auto, on, off"),
        ("GATEWAYZ_DRAIN_S", "-1", "must be at least 0"),
        ("GATEWAYZ_DRAIN_S", "soon", "must be a number"),
        ("GATEWAYZ_RESERVATION_GRACE_S", "nan", "must be more than 0"),
        ("GATEWAYZ_MAX_BODY_BYTES", "5000.5", "must be a whole number"),
    ],
)
def test_a_value_that_cannot_be_used_is_named_with_what_can_be(name: str, value: str, why: str) -> None:
    with pytest.raises(OperatorError, match=f"^{name}='{value}' cannot be used: it {why};") as told:
        read_settings({name: value})
    assert told.value.exit_code == WRONG_INPUT


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("GATEWAYZ_WROKERS", "GATEWAYZ_WORKERS"),
        ("GATEWAYZ_PROVIDER_FILE", "GATEWAYZ_PROVIDERS_FILE"),
        ("GATEWAYZ_ADMINKEY", "GATEWAYZ_ADMIN_KEY"),
    ],
)
def test_a_misspelt_setting_is_not_silently_left_out(name: str, meant: str) -> None:
    with pytest.raises(OperatorError, match=f"^{name} is no setting: is {meant} meant"):
        read_settings({name: "1"})


@pytest.mark.parametrize("name", ["GATEWAYZ_KEY", "GATEWAYZ_PORT_8000_TCP", "GATEWAYZ_SERVICE_HOST", "GATEWAYZ_IMAGE"])
def test_names_of_others_under_our_prefix_are_none_of_our_business(name: str, tmp_path: Path) -> None:
    assert read_settings({name: "1", "GATEWAYZ_HOME": str(tmp_path)}).port == 8000


def test_what_nothing_reads_is_named_and_not_refused() -> None:
    environment = {
        "GATEWAYZ_FOO": "1",
        "GATEWAYZ_EMPTY": "",
        "GATEWAYZ_PORT": "8000",
        "GATEWAYZ_PEPPER": "p",
        "GATEWAYZ_ACME_KEY": "k",
        "GATEWAYZ_API_SERVICE_PORT_HTTP": "1",
        "GATEWAYZ_API_PORT_8000_TCP_ADDR": "1",
        "GATEWAYZ_SERVICE_HOST": "1",
        "OTHER": "1",
    }
    assert ignored_names(["GATEWAYZ_ACME_KEY"], environment) == ["GATEWAYZ_FOO"]


def test_provider_keys_are_those_that_are_set() -> None:
    environment = {"OPENAI_API_KEY": "sk-1", "GROQ_API_KEY": "", "SHELL": "/bin/sh"}
    assert read_provider_keys({"OPENAI_API_KEY", "GROQ_API_KEY", "XAI_API_KEY"}, environment) == {
        "OPENAI_API_KEY": "sk-1"
    }


def test_settings_do_not_show_the_database_password(tmp_path: Path) -> None:
    settings = read_settings({"GATEWAYZ_HOME": str(tmp_path), "DATABASE_URL": "postgresql://me:secret-word@here/db"})
    assert "secret-word" not in repr(settings)


def test_home_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert read_settings({"GATEWAYZ_HOME": "here"}).home == tmp_path / "here"
    assert read_settings({"DATABASE_URL": "postgresql://me@here/db"}).home == tmp_path / ".gatewayz"


def test_home_moves_when_the_user_of_postgres_cannot_reach_it() -> None:
    default = Path("/root/clones/gatewayz/.gatewayz")
    chosen = choose_home(default, is_embedded=True, can_reach=lambda folder: False)
    assert chosen.parent == HOMES_OF_ROOT
    assert chosen.name.startswith("gatewayz-")
    assert chosen == choose_home(default, is_embedded=True, can_reach=lambda folder: False), "each verb finds the same"
    other = choose_home(Path("/root/other/gatewayz/.gatewayz"), is_embedded=True, can_reach=lambda folder: False)
    assert other != chosen, "each clone has its own"


def test_home_stays_where_nobody_else_must_reach_it() -> None:
    default = Path("/root/gatewayz/.gatewayz")
    assert choose_home(default, is_embedded=False, can_reach=lambda folder: False) == default
    assert choose_home(default, is_embedded=True, can_reach=lambda folder: True) == default
