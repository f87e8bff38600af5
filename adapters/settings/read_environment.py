"""Read typed settings from the environment."""

import difflib
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec
from msgspec.structs import replace

from adapters.operator_error import WRONG_INPUT, OperatorError, choices_of, in_plain_words
from adapters.settings.choose_home import choose_home
from adapters.settings.secrets import SECRET_NAMES
from adapters.settings.settings import Settings

Child = Literal["api", "projector", "sandbox"]

HOME = "GATEWAYZ_HOME"

NO_HOME = "/nonexistent"

WITH_PASSWORDS = frozenset({"DATABASE_URL", "GATEWAYZ_WRITER_URL"})

PLAIN_NAMES = frozenset(
    {"PATH", "HOME", "USER", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TERM", "NO_COLOR", "FORCE_COLOR", "LD_LIBRARY_PATH"}
    | {"PGHOST", "PGHOSTADDR", "PGPORT", "SSL_CERT_FILE", "SSL_CERT_DIR"}
)
PLAIN_PREFIXES = ("LC_", "PYTHON", "PGSSL", "PGGSS", "PGTARGET")
"""Variables that Python, libpq and OpenSSL read themselves, without any that may hold a secret."""

OF_AN_ORCHESTRATOR = re.compile(r"\w+_SERVICE_(HOST|PORT(_\w+)?)|\w*_PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?")
"""Kubernetes and Docker links: GATEWAYZ_API_SERVICE_HOST, GATEWAYZ_API_PORT_8000_TCP_ADDR."""

ALIKE = 0.9
"""Ratio of difflib. Foreign names with our prefix, such as an orchestrator's, are less alike."""


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """All settings, checked; an empty variable counts as not set. The home is absolute and, as root, usable for the
    embedded Postgres.

    Raises: OperatorError naming the variable.
    """
    given = {name: value for name, value in environment.items() if value}
    _refuse_misspelt(given)
    try:
        settings = msgspec.convert(given, Settings, strict=False, dec_hook=_path)
    except msgspec.ValidationError as error:
        raise OperatorError(_sentence(str(error), given), WRONG_INPUT) from None
    if HOME in given:
        return replace(settings, home=settings.home.absolute())
    return replace(settings, home=choose_home(settings.home.absolute(), is_embedded=not settings.database_url))


def ignored_names(provider_keys: Iterable[str], environment: Mapping[str, str] = os.environ) -> Sequence[str]:
    """Variables with our prefix that nothing reads, without those that an orchestrator sets for a service."""
    known = SECRET_NAMES | _setting_names() | set(provider_keys)
    ours = sorted(name for name, value in environment.items() if name.startswith("GATEWAYZ_") and value)
    return [name for name in ours if name not in known and not OF_AN_ORCHESTRATOR.fullmatch(name)]


def read_provider_keys(names: Iterable[str], environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The providers' API keys by variable; variables that are not set or empty are left out."""
    return {name: environment[name] for name in names if environment.get(name)}


def environment_of_child(
    child: Child,
    changes: Mapping[str, str],
    provider_keys: Iterable[str] = (),
    environment: Mapping[str, str] = os.environ,
) -> Mapping[str, str]:
    """The environment of one of our processes: the variables that its program reads, and `changes`. No secrets except
    `provider_keys` (names of variables): it gets database logins and the installation's secrets when it begins."""
    kept = PLAIN_NAMES | (set() if child == "sandbox" else _setting_names() - WITH_PASSWORDS) | set(provider_keys)
    prefixes = (*PLAIN_PREFIXES, "OTEL_") if child == "api" else PLAIN_PREFIXES  # OTEL: headers may hold a token
    return {
        **{name: value for name, value in environment.items() if name in kept or name.startswith(prefixes)},
        **changes,
    }


def live_without_home() -> None:
    """For a process that changed its user: libraries that open the old user's home would fail on its mode."""
    os.environ["HOME"] = NO_HOME


def _setting_names() -> set[str]:
    return {field.encode_name for field in msgspec.structs.fields(Settings)}


def _path(kind: type, value: str) -> Path:
    return Path(value).expanduser()


def _refuse_misspelt(given: Mapping[str, str]) -> None:
    """Raise Complaint for a misspelt name: an ignored setting costs hours, an ignored limit costs money."""
    known = SECRET_NAMES | _setting_names()
    for name in given:
        if name.startswith("GATEWAYZ_") and name not in known:
            for meant in difflib.get_close_matches(name, known, 1, ALIKE):
                raise OperatorError(
                    f"{name} is no setting: is {meant} meant? See docs/reference/settings.md", WRONG_INPUT
                )


def _sentence(fault: str, given: Mapping[str, str]) -> str:
    """msgspec's "Expected `int` >= 0 - at `$.NAME`" as a sentence about the variable. DATABASE_URL is never printed:
    any text is valid for it."""
    expected, _, place = fault.partition(" - at `$.")
    name = place.rstrip("`")
    kind = next(field.type for field in msgspec.structs.fields(Settings) if field.encode_name == name)
    words = in_plain_words(expected, choices_of(kind))
    return f"{name}={given.get(name, '')!r} cannot be used: it {words}; see docs/reference/settings.md"
