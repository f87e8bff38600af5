"""Processes that parse untrusted bytes do not run as root: started as root, they switch user once loaded."""

import signal
from importlib import import_module
from pkgutil import walk_packages

import projections
from adapters.embedded.unprivileged import UnprivilegedUser, become, worker_user
from adapters.operator_error import WRONG_INPUT, OperatorError
from adapters.settings.read_environment import live_without_home
from adapters.settings.settings import Settings
from projections.engine.registry import read_files

ROOT = "root"

LAZY = ("encodings.idna", "encodings.punycode", "importlib.readers", "multiprocessing.resource_tracker", "stringprep")
"""Modules of the standard library that are only imported at their first use."""


def worker_of(settings: Settings) -> UnprivilegedUser | None:
    """The user that our processes switch to; None: they keep theirs. Raises: OperatorError if there is no such user."""
    if settings.run_as == ROOT:
        return None
    try:
        return worker_user(settings.postgres_home / "pgdata", settings.run_as)
    except KeyError:
        raise OperatorError(f"GATEWAYZ_RUN_AS={settings.run_as} is no user of this machine", WRONG_INPUT) from None


def _load_the_rest(settings: Settings) -> None:
    """Import the modules that are imported late, so that no file has to be read after the switch."""
    for name in LAZY:
        import_module(name)
    for module in walk_packages(projections.__path__, "projections."):
        import_module(module.name)
    if settings.otlp_endpoint or settings.traces != "off":
        import_module("adapters.outbound.telemetry.otel_spans")
    read_files()


def leave_root(settings: Settings, *, dies_with_parent: bool) -> None:
    """Switch user. Files that only root can read must be read before, even our code: it may lie in a private folder.

    Raises: OperatorError.
    """
    user = worker_of(settings)
    if user is None:
        return
    _load_the_rest(settings)
    live_without_home()
    try:
        become(user, signal.SIGKILL if dies_with_parent else 0)
    except OSError as error:
        raise OperatorError(
            f"cannot become {user.name}: {error.strerror}; set GATEWAYZ_RUN_AS to another user, or to root", WRONG_INPUT
        ) from error
