"""Builds the Gateway of the HTTP surface from use cases and adapters."""

import hmac
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

from adapters.inbound.http.edge.addresses import Addresses, read_networks
from adapters.inbound.http.edge.failed_tries import FailedTries
from adapters.inbound.http.edge.shares import AccountShares
from adapters.inbound.http.edge.strangers import Strangers
from adapters.inbound.http.gateway import Check, Gateway, Limits
from adapters.inbound.http.server.body_budget import BodyBudget
from adapters.operator_error import WRONG_INPUT, OperatorError
from adapters.outbound.postgres.read.key_directory import CachedKeyDirectory
from adapters.outbound.postgres.wire.ask_server import is_out_of_reach
from adapters.outbound.providers.offers.catalog import ProviderCatalog
from adapters.outbound.providers.offers.load_catalog import key_names, load_catalog
from adapters.outbound.providers.offers.read_rows import ProvidersFileInvalid
from adapters.outbound.telemetry.metrics import Metrics
from adapters.outbound.telemetry.telemetry import PrometheusTelemetry
from adapters.settings import Settings, read_provider_keys
from adapters.version import VERSION
from adapters.wiring.compose.core import Core
from application.generate.kept_bytes import KeptBytes
from application.generate.reserve_credit import Deadlines
from application.ports.chat_providers import ChatProviders
from application.ports.token_counter import TokenCounter
from application.use_cases import InferencePorts, Terms, inference, use_cases


def catalog_of(settings: Settings) -> ProviderCatalog:
    """Raises: OperatorError, which names the place in the providers file."""
    try:
        keys = read_provider_keys(key_names(settings.providers_file))
        today = datetime.now(UTC).date()
        return load_catalog(settings.providers_file, keys, settings.sandbox_url or None, on=today)
    except ProvidersFileInvalid as error:
        raise OperatorError(str(error), WRONG_INPUT) from error


def addresses_of(settings: Settings) -> Addresses:
    """Raises: OperatorError, which names a proxy that is not a network."""
    try:
        return Addresses(read_networks(settings.trusted_proxies))
    except ValueError as wrong:
        raise OperatorError(f"GATEWAYZ_TRUSTED_PROXIES: {wrong}; see docs/reference/settings.md", WRONG_INPUT) from None


def gateway_of(
    core: Core,
    settings: Settings,
    keys: CachedKeyDirectory,
    catalog: ProviderCatalog,
    providers: ChatProviders,
    counter: TokenCounter,
    telemetry: PrometheusTelemetry,
    metrics: Metrics,
    admin_key: str,
    readiness: Callable[[], Awaitable[Sequence[Check]]],
) -> Gateway:
    ports = core.ports
    terms = Terms(
        deadlines=Deadlines(
            settings.request_deadline_s,
            settings.stream_deadline_s,
            settings.reservation_grace_s,
            settings.reserve_patience_s,
        ),
        unpaid_limit=settings.unpaid_limit,
        kept=KeptBytes(settings.kept_mb_per_account * 1024 * 1024),
        keep_answers_s=settings.keep_answers_s,
        read_on_s=settings.read_on_s,
    )
    return Gateway(
        keys=keys,
        use_cases=use_cases(ports),
        inference=inference(ports, InferencePorts(core.answers, catalog, providers, counter, telemetry), terms),
        reads=core.reads,
        catalog=catalog,
        providers=providers,
        ledger=core.ledger,
        personal_data=core.personal_data,
        clock=core.clock,
        telemetry=telemetry,
        is_admin=_equals(admin_key),
        readiness=readiness,
        metrics=metrics.exposition,
        is_out_of_reach=is_out_of_reach,
        bodies=BodyBudget(settings.body_budget_mb * 1024 * 1024),
        limits=Limits(
            body_bytes=settings.max_body_bytes,
            body_timeout_s=settings.body_timeout_s,
            patience_s=settings.patience_s,
            cors_origins=settings.cors_origins,
        ),
        accounts=AccountShares(settings.concurrency_per_account, settings.keys_per_hour),
        tries=FailedTries(settings.failed_auth_per_minute),
        strangers=Strangers(addresses_of(settings)),
        version=VERSION,
    )


def _equals(admin_key: str) -> Callable[[str], bool]:
    expected = admin_key.encode()
    return lambda secret: hmac.compare_digest(secret.encode(errors="surrogateescape"), expected)
