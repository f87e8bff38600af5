"""The HTTP surface's Gateway: use cases on adapters."""

import hmac
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

from adapters.complaint import WRONG_INPUT, Complaint
from adapters.inbound.http.edge.addresses import Addresses, read_networks
from adapters.inbound.http.edge.failed_tries import FailedTries
from adapters.inbound.http.edge.shares import AccountShares
from adapters.inbound.http.edge.strangers import Strangers
from adapters.inbound.http.gateway import Check, Gateway, Limits
from adapters.inbound.http.server.body_budget import BodyBudget
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
from application.change_account_state import ChangeAccountState
from application.generate.call_providers import CallProviders
from application.generate.complete_chat import CompleteChat
from application.generate.keep_answer import ReplayAnswer
from application.generate.kept_bytes import KeptBytes
from application.generate.metering.estimate_tokens import MeterAnswer
from application.generate.request.check_large_body import CheckLargeBody
from application.generate.reserve_credit import Deadlines, ReserveCredit
from application.generate.settle_charge import SettleCharge
from application.generate.stream_chat import StreamChat
from application.grant_credit import GrantCredit
from application.manage_keys import ManageKeys
from application.open_account import OpenAccount
from application.ports.chat_providers import ChatProviders
from application.ports.token_counter import TokenCounter


def catalog_of(settings: Settings) -> ProviderCatalog:
    """Raises: Complaint naming the place in the providers file."""
    try:
        keys = read_provider_keys(key_names(settings.providers_file))
        today = datetime.now(UTC).date()
        return load_catalog(settings.providers_file, keys, settings.sandbox_url or None, on=today)
    except ProvidersFileInvalid as error:
        raise Complaint(str(error), WRONG_INPUT) from error


def addresses_of(settings: Settings) -> Addresses:
    """Raises: Complaint naming a proxy that is no network."""
    try:
        return Addresses(read_networks(settings.trusted_proxies))
    except ValueError as wrong:
        raise Complaint(f"GATEWAYZ_TRUSTED_PROXIES: {wrong}; see docs/reference/settings.md", WRONG_INPUT) from None


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
    deadlines = Deadlines(
        settings.request_deadline_s,
        settings.stream_deadline_s,
        settings.reservation_grace_s,
        settings.reserve_patience_s,
    )
    ledger, clock, personal_data = core.ledger, core.clock, core.personal_data
    reserve = ReserveCredit(ledger, personal_data, clock, core.ids, telemetry, deadlines, settings.unpaid_limit)
    kept = KeptBytes(settings.kept_mb_per_account * 1024 * 1024)
    settle = SettleCharge(ledger, clock, personal_data, telemetry, deadlines, settings.keep_answers_s, kept)
    meter = MeterAnswer(counter)
    call_providers = CallProviders(ledger, clock, settle, meter, telemetry)
    replay = ReplayAnswer(core.answers, personal_data, clock)
    parts = (catalog, reserve, call_providers, settle, meter, providers, replay, clock)
    return Gateway(
        keys=keys,
        complete_chat=CompleteChat(*parts),
        stream_chat=StreamChat(*parts, settings.read_on_s),
        open_account=OpenAccount(ledger, personal_data, clock, core.ids),
        change_account_state=ChangeAccountState(ledger, personal_data, clock, core.ids),
        grant_credit=GrantCredit(ledger, personal_data, clock, core.ids),
        manage_keys=ManageKeys(ledger, personal_data, core.reads.positions, clock, core.ids),
        reads=core.reads,
        catalog=catalog,
        providers=providers,
        ledger=ledger,
        personal_data=personal_data,
        clock=clock,
        telemetry=telemetry,
        is_admin=_equals(admin_key),
        readiness=readiness,
        metrics=metrics.exposition,
        is_out_of_reach=is_out_of_reach,
        check_large_body=CheckLargeBody(ledger, clock),
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
