"""Find how to reach the instance that was started last in this home."""

from collections.abc import Mapping

from adapters.operator_error import OperatorError
from adapters.settings.credentials import read_credentials
from adapters.settings.settings import Settings


def find_credentials(settings: Settings) -> Mapping[str, str]:
    """Raises: OperatorError if no instance was started in this home yet."""
    known = read_credentials(settings.home)
    if known is None:
        raise OperatorError(f"nothing was started in {settings.home} yet: run `gatewayz serve`, or set GATEWAYZ_HOME")
    return {"base_url": known.base_url, "admin_key": known.admin_key, "demo_key": known.demo_key}
