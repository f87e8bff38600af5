"""Once everything is up: how to use it. Makes the demo account if this database has none that we know the key of."""

import json

from msgspec.structs import replace

from adapters.inbound.cli.banner import Started
from adapters.settings.credentials import Credentials, read_credentials, write_credentials
from adapters.settings.settings import Settings
from adapters.supervisor.direct import open_direct
from adapters.wiring.database import Database

SANDBOX_MODEL = "sandbox/echo"
MODELS_TIMEOUT_S = 10.0


def introduce(database: Database, settings: Settings, url: str, *, runs_sandbox: bool, has_providers: bool) -> Started:
    """Writes credentials.json and returns what to tell. Raises: Complaint.

    Without the sandbox, or beside real providers, no demo account is made: its key would spend somebody's money.
    """
    credentials = _credentials(database, settings, url, makes_demo=runs_sandbox and not has_providers)
    write_credentials(settings.home, credentials)
    model = SANDBOX_MODEL if runs_sandbox else _first_model(url)
    return Started(url, credentials.admin_key, credentials.demo_key, model, settings.home)


def _credentials(database: Database, settings: Settings, url: str, *, makes_demo: bool) -> Credentials:
    known = read_credentials(settings.home)
    fresh = Credentials(base_url=url, admin_key=database.secrets.admin_key, ledger_id=database.ledger_id)
    if known is not None and known.demo_key and known.ledger_id == database.ledger_id:
        return replace(fresh, demo_key=known.demo_key, demo_account_id=known.demo_account_id)
    if not makes_demo:
        return fresh
    # Imported here because it takes 0.3 s and 30 MB, which only the first start needs.
    from adapters.wiring.demo_account import open_demo

    return open_demo(database, settings, fresh)


def _first_model(url: str) -> str:
    with open_direct(f"{url}/v1/models", MODELS_TIMEOUT_S) as answer:
        models = json.load(answer)["data"]
    return str(models[0]["id"]) if models else ""
