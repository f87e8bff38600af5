"""The format of a key's secret: text in any other format is no secret and needs no lookup."""

import re

from domain.api_key.events import Environment

_FORM = re.compile(r"gw_(?:live|test)_[A-Za-z0-9_-]{43}")


def write_secret(environment: Environment, randomness: str) -> str:
    """randomness: 43 url-safe characters."""
    return f"gw_{environment}_{randomness}"


def is_secret(text: str) -> bool:
    return _FORM.fullmatch(text) is not None
