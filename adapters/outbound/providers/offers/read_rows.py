"""Read a TOML file of provider rows; errors name file, row and field."""

import re
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from adapters.operator_error import in_plain_words
from adapters.outbound.providers.offers.rows import ProviderRow

REGISTRY_FILE = Path(__file__).with_name("registry.toml")
SANDBOX_FILE = Path(__file__).with_name("sandbox.toml")

MAX_FILE_BYTES = 4 * 1024 * 1024
"""A thousand providers fit."""

MUST_BE = {"id": "must be author/slug, such as acme/m"}
"""Field -> words to print instead of its regular expression."""

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


class ProvidersFileInvalid(Exception):
    """A providers file that cannot be used; the text is one line that names file, row and field. Never holds a key."""

    def __init__(self, file: Path, place: str, reason: str) -> None:
        super().__init__(f"{file}: {place}: {reason}" if place else f"{file}: {reason}")


def read_rows(file: Path) -> dict[str, ProviderRow]:
    """Provider rows by name, in the order of the file.

    Raises: ProvidersFileInvalid if the file is missing, is not TOML, or has an unknown, missing or wrong field.
    """
    tables = _tables(file)
    for key in tables:
        if key != "providers":
            raise ProvidersFileInvalid(file, key, "unknown table; only [providers.<name>] is known")
    providers = tables.get("providers", {})
    if not isinstance(providers, dict):
        raise ProvidersFileInvalid(file, "providers", "must be tables named [providers.<name>]")
    return {name: _row(file, name, table) for name, table in providers.items()}


def require_address(file: Path, name: str, row: ProviderRow) -> None:
    """A complete row needs a URL and exactly one source of its key."""
    place = f"providers.{name}"
    if fault := _fault_of_url(row.base_url):
        raise ProvidersFileInvalid(file, f"{place}.base_url", fault)
    if bool(row.api_key) == bool(row.api_key_env):
        raise ProvidersFileInvalid(file, place, "needs either api_key or api_key_env")


def _tables(file: Path) -> dict[str, object]:
    try:
        with file.open("rb") as opened:
            content = opened.read(MAX_FILE_BYTES + 1)
        if len(content) > MAX_FILE_BYTES:
            raise ProvidersFileInvalid(file, "", f"is larger than {MAX_FILE_BYTES} bytes")
        return tomllib.loads(content.decode())
    except OSError as error:
        reason = error.strerror or "cannot be read"
        raise ProvidersFileInvalid(file, "", f"{reason}; GATEWAYZ_PROVIDERS_FILE names this file") from error
    except ValueError as error:  # not UTF-8, or not TOML: the text names the place
        raise ProvidersFileInvalid(file, "", f"is not TOML: {error}") from error


def _row(file: Path, name: str, table: object) -> ProviderRow:
    place = f"providers.{name}"
    if not _NAME.fullmatch(name):
        raise ProvidersFileInvalid(file, place, "a provider's name is lower-case letters, digits, - and _")
    try:
        row = msgspec.convert(table, ProviderRow)
    except msgspec.ValidationError as error:
        reason, _, path = str(error).partition(" - at `$")
        path = path.rstrip("`")
        words = MUST_BE.get(path.rpartition(".")[2]) if "matching regex" in reason else None
        raise ProvidersFileInvalid(file, place + path, words or in_plain_words(reason)) from error
    _require_distinct_models(file, place, row)
    return row


def _require_distinct_models(file: Path, place: str, row: ProviderRow) -> None:
    seen: set[str] = set()
    for number, model in enumerate(row.models):
        if model.id in seen:
            raise ProvidersFileInvalid(file, f"{place}.models[{number}].id", f"{model.id} is there twice")
        seen.add(model.id)


def is_printable_ascii(text: str) -> bool:
    """What the head of a request can carry; a line break would begin another header."""
    return text.isascii() and text.isprintable() and " " not in text


def _fault_of_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        reachable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        reachable = False
    if not reachable or not is_printable_ascii(url):
        return "must be an http(s) URL such as https://api.acme.com/v1"
    if parts.username or parts.password or parts.query or parts.fragment:
        return "must not carry credentials, a query or a fragment"
    return ""
