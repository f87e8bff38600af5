"""What a process of ours sees of the environment: settings and what a program needs, no secret but its own."""

from adapters.settings.read_environment import environment_of_child

OURS = {
    "PATH": "/usr/bin",
    "LC_ALL": "C.UTF-8",
    "PYTHONPATH": "/code",
    "GATEWAYZ_DRAIN_S": "5",
    "PGSSLMODE": "require",
}
SECRET = {
    "DATABASE_URL": "postgresql://owner:word@host/db",
    "GATEWAYZ_WRITER_URL": "postgresql://writer:word@host/db",
    "GATEWAYZ_PEPPER": "word",
    "GATEWAYZ_KEYRING": "word",
    "GATEWAYZ_ADMIN_KEY": "word",
    "GATEWAYZ_DERIVATION_SECRET": "word",
    "PGPASSWORD": "word",
    "OPENAI_API_KEY": "word",
    "AWS_SECRET_ACCESS_KEY": "word",
    "ACME_TOKEN": "word",
}


def test_a_child_sees_settings_and_no_secret() -> None:
    for child in ("api", "projector"):
        seen = environment_of_child(child, {"GATEWAYZ_HOME": "/h"}, (), {**OURS, **SECRET})  # type: ignore[arg-type]
        assert seen == {**OURS, "GATEWAYZ_HOME": "/h"}


def test_provider_keys_and_the_collector_s_token_are_the_api_s_alone() -> None:
    telemetry = {"OTEL_EXPORTER_OTLP_HEADERS": "authorization=word"}
    seen = environment_of_child("api", {}, ("OPENAI_API_KEY", "ACME_TOKEN"), {**OURS, **SECRET, **telemetry})
    assert seen == {**OURS, **telemetry, "OPENAI_API_KEY": "word", "ACME_TOKEN": "word"}
    assert environment_of_child("projector", {}, (), {**OURS, **SECRET, **telemetry}) == OURS


def test_the_sandbox_sees_what_python_needs() -> None:
    seen = environment_of_child("sandbox", {}, (), {**OURS, **SECRET})
    assert seen == {name: value for name, value in OURS.items() if not name.startswith("GATEWAYZ_")}
