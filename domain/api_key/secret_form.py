"""What a key's secret looks like: what is written otherwise is nobody's, and need not be looked up."""

import re

from domain.api_key.events import Environment

_FORM = re.compile(r"gw_(?:live|test)_[A-Za-z0-9_-]{43}")


def write_secret(environment: Environment, randomness: str) -> str:
    """randomness: 43 url-safe characters."""
    return f"gw_{environment}_{randomness}"


def is_secret(text: str) -> bool:
    return _FORM.fullmatch(text) is not None
