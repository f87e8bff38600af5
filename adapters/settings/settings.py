"""All settings with bounds, default and meaning; docs/reference/settings.md repeats them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from domain.credit.unpaid import PPM, UnpaidLimit
from domain.money import parse_usd

USUAL_NAMES: Mapping[str, str] = {
    "database_url": "DATABASE_URL",
    "pg_bindir": "PG_BINDIR",
    "otlp_endpoint": "OTEL_EXPORTER_OTLP_ENDPOINT",
    "metrics_folder": "PROMETHEUS_MULTIPROC_DIR",
}
"""Names that other programs use too; all others are GATEWAYZ_ and the field in capitals."""

Seconds = Annotated[float, Meta(gt=0, le=30 * 86_400)]
Usd = Annotated[str, Meta(pattern=r"^[0-9]{1,9}(\.[0-9]{1,9})?$")]
OptionalSeconds = Annotated[float, Meta(ge=0, le=30 * 86_400)]


def environment_name(field: str) -> str:
    return USUAL_NAMES.get(field) or f"GATEWAYZ_{field.upper()}"


class Settings(msgspec.Struct, frozen=True, kw_only=True, rename=environment_name):
    """Plain values; secrets and provider keys are not among them (secrets.py, read_provider_keys)."""

    home: Annotated[
        Path,
        Meta(
            description="Folder for everything Gatewayz keeps: secrets, credentials, the embedded Postgres. As root, if"
            " the user that Postgres drops to cannot enter the default, it is `/var/lib/gatewayz/<name of the clone>`."
        ),
    ] = Path(".gatewayz")
    host: Annotated[
        str, Meta(min_length=1, description="Address to listen on; `0.0.0.0` or `::` for every interface.")
    ] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65_535, description="Port to listen on; 0 takes any that is free.")] = 8000
    workers: Annotated[
        int,
        Meta(
            ge=1,
            le=64,
            description="API processes that `serve` runs; they share the port. One for each 64 requests at once, at "
            "most one per core: more cost more CPU per request.",
        ),
    ] = 1
    database_url: Annotated[
        str,
        Meta(
            description="A PostgreSQL 15 or newer and a login. `migrate` and `serve` take the owner's login, `api` and"
            " `projector` that of their role (`gatewayz database-url`). When set, no server is started."
        ),
    ] = ""
    writer_url: Annotated[
        str,
        Meta(
            description="The `DATABASE_URL` of `api`, with which a `projector` run alone expires reservations. Its own"
            " login may not write to the ledger."
        ),
    ] = ""
    one_role: Annotated[
        Literal["off", "on"],
        Meta(
            description="`on`: every process works as the login of `DATABASE_URL`, for databases whose owner may not"
            " create roles. Then only a trigger keeps a process from changing the log."
        ),
    ] = "off"
    run_as: Annotated[
        str,
        Meta(
            description="As root: the user that API, projector and sandbox run as once they are loaded; by default"
            " `gatewayz` if there is one, else `nobody`, never the user of Postgres. `root`: they stay root."
        ),
    ] = ""
    pg_bindir: Annotated[
        Path | None, Meta(description="Folder with `postgres` and `initdb` to run instead of the wheel's.")
    ] = None
    providers_file: Annotated[
        Path | None, Meta(description="TOML that adds providers and models: docs/how-to/add-a-provider.md.")
    ] = None
    sandbox: Annotated[
        Literal["auto", "on", "off"],
        Meta(
            description="The built-in sandbox provider. `auto`: on when no provider has a key and there is no providers"
            " file."
        ),
    ] = "auto"
    sandbox_url: Annotated[
        str,
        Meta(
            description="URL of a running sandbox, such as `http://127.0.0.1:8900/v1`. `serve` sets it for its API"
            " processes; set it yourself only for an `api` run alone."
        ),
    ] = ""
    reservation_grace_s: Annotated[
        Seconds, Meta(description="An open reservation expires this long after its request's deadline.")
    ] = 900.0
    request_deadline_s: Annotated[Seconds, Meta(description="A request that is not streamed ends after this.")] = 600.0
    stream_deadline_s: Annotated[Seconds, Meta(description="A stream ends after this.")] = 3_600.0
    reserve_patience_s: Annotated[
        Seconds,
        Meta(
            description="A generation is refused with 503 if its credit is not reserved, or its key not looked up, by"
            " then."
        ),
    ] = 10.0
    patience_s: Annotated[
        Seconds,
        Meta(
            description="Any other request without an answer by then is refused with 503; its changes to the ledger may"
            " still be recorded."
        ),
    ] = 10.0
    read_on_s: Annotated[
        OptionalSeconds,
        Meta(
            description="How long a stream is read on after its client left, to learn the usage; this output is billed."
        ),
    ] = 30.0
    keep_answers_s: Annotated[
        OptionalSeconds,
        Meta(description="How long answers are kept for retries with the same `Idempotency-Key`; 0 keeps none."),
    ] = 86_400.0
    owed_alarm_usd: Annotated[
        Usd,
        Meta(
            description="If an account comes to owe more than this many USD for shortfalls, an alarm follows: a line"
            " in the log and a metric."
        ),
    ] = "5"
    unpaid_work_usd: Annotated[
        Usd,
        Meta(
            description="What providers presumably charge for an account's abandoned streams and timed-out requests of"
            " the last 30 UTC days may come to this many USD, or to `GATEWAYZ_UNPAID_WORK_SHARE` if that is more;"
            " beyond it generations are refused with 429."
        ),
    ] = "1"
    unpaid_work_share: Annotated[
        float,
        Meta(ge=0, le=1, description="The same, as a part of what the account settled in these days, from 0 to 1."),
    ] = 0.1
    max_body_bytes: Annotated[
        int, Meta(ge=1_024, le=2**30, description="Larger request bodies are refused with 413.")
    ] = 32 * 1024 * 1024
    body_budget_mb: Annotated[
        int,
        Meta(
            ge=1,
            le=65_536,
            description="MiB of request bodies that an API process holds at once, until they are answered. Beyond it a"
            " request waits 5 s, then it is refused with 503; a fourth more is kept for bodies of up to 64 KiB.",
        ),
    ] = 64
    body_timeout_s: Annotated[Seconds, Meta(description="A body that takes longer to arrive is refused with 408.")] = (
        60.0
    )
    connections: Annotated[
        int,
        Meta(
            ge=128,
            le=1_000_000,
            description="Connections of one API process. At the bound the oldest on which no key was ever accepted is"
            " closed; 64 places are kept for `/health` and for those with a key.",
        ),
    ] = 8_192
    connections_per_address: Annotated[
        int,
        Meta(
            ge=1,
            le=1_000_000,
            description="Connections of one address (IPv6: one /64) on which no key was accepted yet, per API process."
            " At the bound the oldest is closed. A trusted proxy has no such bound.",
        ),
    ] = 512
    trusted_proxies: Annotated[
        str,
        Meta(
            description="Addresses and CIDR networks of the proxies in front, comma-separated. Only their"
            " `X-Forwarded-For` is read: its rightmost address that is not one of these is the client."
        ),
    ] = ""
    concurrency_per_account: Annotated[
        int,
        Meta(
            ge=0,
            le=1_000_000,
            description="Generations of one account under way at a time, per API process; more are refused with 429."
            " 0 is no limit.",
        ),
    ] = 200
    provider_share: Annotated[
        float,
        Meta(
            gt=0,
            le=1,
            description="Part of an API process's connections to one provider (2,048) that one account may take; more"
            " are refused with 503.",
        ),
    ] = 0.25
    failed_auth_per_minute: Annotated[
        int,
        Meta(
            ge=0,
            le=1_000_000,
            description="Unknown keys that one address may try a minute, per API process; more are refused with 429."
            " Known keys are still served from there. 0 is no limit.",
        ),
    ] = 20
    kept_mb_per_account: Annotated[
        int,
        Meta(
            ge=0,
            le=1_000_000,
            description="Answers of one account kept for retries with the same `Idempotency-Key`, in MiB, counted per"
            " API process; beyond it an answer is charged and served, and not kept. 0 is no limit.",
        ),
    ] = 64
    keys_per_hour: Annotated[
        int,
        Meta(
            ge=0,
            le=1_000_000,
            description="Keys that one account may issue or rotate an hour on `/v1/keys`, per API process; more are"
            " refused with 429. Keys made on `/admin` or by the command line do not count. 0 is no limit.",
        ),
    ] = 10
    cors_origins: Annotated[
        str,
        Meta(
            description="Origins of pages whose scripts may call `/v1` and `/api/v1`, comma-separated; `*` for any,"
            " `off` for none. `/admin` answers no page."
        ),
    ] = "*"
    append_queue: Annotated[
        int,
        Meta(
            ge=1,
            le=1_000_000,
            description="Waiting ledger commands per process above which requests are shed with 503.",
        ),
    ] = 5_000
    append_timeout_s: Annotated[
        Seconds,
        Meta(
            description="An append without an answer by then is dropped; its commands are asked for again on a new"
            " connection."
        ),
    ] = 5.0
    drain_s: Annotated[
        OptionalSeconds, Meta(description="Time that open requests get to end when a process stops.")
    ] = 30.0
    log_format: Annotated[
        Literal["auto", "json", "console"],
        Meta(description="Form of the log on stderr. `auto`: `console` on a terminal, `json` elsewhere."),
    ] = "auto"
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], Meta(description="The lowest level that is logged.")
    ] = "info"
    traces: Annotated[
        Literal["off", "console"],
        Meta(
            description="`console` writes OpenTelemetry spans to stderr. An OTLP endpoint sends them there in any case."
        ),
    ] = "off"
    otlp_endpoint: Annotated[
        str, Meta(description="OpenTelemetry collector that takes OTLP over HTTP, such as `http://localhost:4318`.")
    ] = ""
    metrics_folder: Annotated[
        Path | None,
        Meta(
            description="Folder that API processes share to add up their metrics, emptied before they start. `serve`"
            " makes it; without it `/metrics` covers only the process that answers."
        ),
    ] = None

    @property
    def postgres_home(self) -> Path:
        return self.home / "postgres"

    @property
    def owed_alarm_nusd(self) -> int:
        return parse_usd(self.owed_alarm_usd)

    @property
    def unpaid_limit(self) -> UnpaidLimit:
        return UnpaidLimit(parse_usd(self.unpaid_work_usd), round(self.unpaid_work_share * PPM))

    @property
    def run_folder(self) -> Path:
        """For files that are useless after the end of the process that made them."""
        return self.home / "run"

    def __repr__(self) -> str:
        """Without DATABASE_URL's password, because settings appear in tracebacks."""
        return f"Settings({self.home})"
