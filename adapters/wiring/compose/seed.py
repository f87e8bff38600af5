"""Seed data for a started instance: its credentials file, and a demo account, unless one with a known key exists."""

import json
from collections.abc import Sequence
from decimal import Decimal

from msgspec.structs import replace

from adapters.inbound.cli.render.banner import Started
from adapters.settings.credentials import Credentials, read_credentials, write_credentials
from adapters.settings.settings import Settings
from adapters.supervisor.direct import open_direct
from adapters.wiring.database.database import Database

SANDBOX_MODEL = "sandbox/echo"
SANDBOX_ON = "sandbox (built in; GATEWAYZ_SANDBOX=off leaves it out)"
SANDBOX_OFF = "the sandbox is off; GATEWAYZ_SANDBOX=on brings it"

MODELS_TIMEOUT_S = 10.0


def seed(database: Database, settings: Settings, url: str, *, runs_sandbox: bool, providers: Sequence[str]) -> Started:
    """Writes credentials.json; returns what the banner shows. Raises: OperatorError.

    providers: those that have a key, each with the source of its key.

    Without the sandbox, or beside real providers, no demo account is made: its key would spend real money.
    """
    credentials = _credentials(database, settings, url, makes_demo=runs_sandbox and not providers)
    write_credentials(settings.home, credentials)
    return Started(
        url=url,
        admin_key=credentials.admin_key,
        demo_key=credentials.demo_key,
        model=SANDBOX_MODEL if runs_sandbox else _cheapest_model(url),
        home=settings.home,
        data="the database of DATABASE_URL" if settings.database_url else f"{settings.home}",
        providers=tuple(providers),
        sandbox=SANDBOX_ON if runs_sandbox else SANDBOX_OFF,
    )


def _credentials(database: Database, settings: Settings, url: str, *, makes_demo: bool) -> Credentials:
    known = read_credentials(settings.home)
    fresh = Credentials(base_url=url, admin_key=database.secrets.admin_key, ledger_id=database.ledger_id)
    if known is not None and known.demo_key and known.ledger_id == database.ledger_id:
        return replace(fresh, demo_key=known.demo_key, demo_account_id=known.demo_account_id)
    if not makes_demo:
        return fresh
    # Imported here because it costs 0.3 s and 30 MB, and only the first start needs it.
    from adapters.wiring.compose.demo_account import open_demo

    return open_demo(database, settings, fresh)


def _cheapest_model(url: str) -> str:
    """The banner's model, by the price of one token in and one out. Free models may be limited: they rank last."""
    with open_direct(f"{url}/v1/models", MODELS_TIMEOUT_S) as answer:
        models = json.load(answer)["data"]
    prices = [(one["pricing"], str(one["id"])) for one in models]
    costs = [(Decimal(price["prompt"]) + Decimal(price["completion"]), name) for price, name in prices]
    return min(costs, key=lambda cost: (cost[0] == 0, *cost), default=(Decimal(0), ""))[1]
