"""Processes that parse strangers' bytes do not run as root: started as root, they become somebody else once loaded."""

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
"""Of the standard library, what is imported at its first use."""


def worker_of(settings: Settings) -> UnprivilegedUser | None:
    """Whom our processes become; None: they stay who they are. Raises: OperatorError for a user that there is not."""
    if settings.run_as == ROOT:
        return None
    try:
        return worker_user(settings.postgres_home / "pgdata", settings.run_as)
    except KeyError:
        raise OperatorError(f"GATEWAYZ_RUN_AS={settings.run_as} is no user of this machine", WRONG_INPUT) from None


def _load_the_rest(settings: Settings) -> None:
    """What is not imported at the top of a module, so that nothing has to be read any more."""
    for name in LAZY:
        import_module(name)
    for module in walk_packages(projections.__path__, "projections."):
        import_module(module.name)
    if settings.otlp_endpoint or settings.traces != "off":
        import_module("adapters.outbound.telemetry.otel_spans")
    read_files()


def leave_root(settings: Settings, *, dies_with_parent: bool) -> None:
    """Everything that only root can read must have been read, also our own code: a clone may lie in a private folder.

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
