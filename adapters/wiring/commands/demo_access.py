"""What `gatewayz demo` needs: a running API that offers the sandbox, and a key."""

import json

from adapters.inbound.cli.actions import DemoAccess
from adapters.operator_error import OperatorError
from adapters.settings.credentials import Credentials, read_credentials, write_credentials
from adapters.settings.settings import Settings
from adapters.supervisor.direct import open_direct
from adapters.wiring.compose.demo_account import open_demo
from adapters.wiring.compose.seed import MODELS_TIMEOUT_S, SANDBOX_MODEL
from adapters.wiring.database.find_database import running_database


def demo_access(settings: Settings) -> DemoAccess:
    """Raises: OperatorError if no API answers, or if it offers no sandbox."""
    known = read_credentials(settings.home)
    url = known.base_url if known else f"http://{settings.host}:{settings.port}"
    if SANDBOX_MODEL not in _models(url):
        raise OperatorError(f"the demo needs the sandbox, and {url} has none: start it with GATEWAYZ_SANDBOX=on")
    if known is None or not known.demo_key:
        known = _opened(settings, url)
    return DemoAccess(url, known.demo_key, known.demo_account_id, SANDBOX_MODEL)


def _opened(settings: Settings, url: str) -> Credentials:
    """Open the demo account, for an API that runs without `serve`: only `serve` opens it at its start."""
    database = running_database(settings)
    fresh = Credentials(base_url=url, admin_key=database.secrets.admin_key)
    credentials = open_demo(database, settings, fresh)
    write_credentials(settings.home, credentials)
    return credentials


def _models(url: str) -> frozenset[str]:
    try:
        with open_direct(f"{url}/v1/models", MODELS_TIMEOUT_S) as answer:
            return frozenset(model["id"] for model in json.load(answer)["data"])
    except (OSError, ValueError, KeyError) as error:
        reason = getattr(error, "reason", error)
        raise OperatorError(f"no Gatewayz answers at {url} ({reason}): start `gatewayz serve`") from error
