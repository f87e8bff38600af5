"""`gatewayz serve`: all processes on one machine, started in the right order
(docs/explanation/architecture.md#processes)."""

import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Collection
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import NamedTuple

import structlog

from adapters.embedded.home import PASSABLE_MODE, can_reach
from adapters.embedded.supervisor_lock import SupervisorLock
from adapters.embedded.unprivileged import UnprivilegedUser
from adapters.inbound.cli.render.banner import Started
from adapters.operator_error import WRONG_INPUT, OperatorError
from adapters.outbound.providers.offers.load_catalog import key_names, providers_of_keys
from adapters.outbound.providers.offers.read_rows import ProvidersFileInvalid
from adapters.settings import Settings, ignored_names, read_provider_keys
from adapters.supervisor.light_sleep import light_sleep
from adapters.supervisor.listen import listening_socket, url_of
from adapters.supervisor.probe import Probe
from adapters.supervisor.stop_request import StopRequest
from adapters.supervisor.supervise import Supervisor
from adapters.wiring.database.embedded_server import DATABASE, embedded_postgres
from adapters.wiring.database.make_home import make_home
from adapters.wiring.processes.children import supervisor_of
from adapters.wiring.processes.leave_root import worker_of

READY_WITHIN_S = 60.0
"""Loading takes two seconds on an idle machine; the rest is for a busy one."""

SANDBOX_HOST = "127.0.0.1"

log = structlog.get_logger()


class _AlreadyLogged(OperatorError):
    """A child cannot run and has logged the reason, so no line is printed."""


class _Place(NamedTuple):
    """What is claimed before any process starts. `sandbox`: its listening socket; None if we run no sandbox."""

    settings: Settings
    sock: socket.socket
    sandbox: socket.socket | None
    metrics_folder: Path


def run_serve(settings: Settings, on_start: Callable[[Started], None]) -> int:
    """Start all processes, call `on_start`, and supervise them until a stop signal. Main thread only.

    Raises: OperatorError, EmbeddedPostgresError; no process is left running then, nor after a return.
    """
    stop_request = StopRequest()
    stop_request.listen()
    if ignored := ignored_names(_key_names(settings)):
        log.info("no settings, ignored: docs/reference/settings.md has all there are", names=" ".join(ignored))
    with ExitStack() as stack:
        place = _claim(settings, stack)
        server = None if settings.database_url else embedded_postgres(settings)
        dsn = partial(server.dsn, DATABASE) if server else partial(str, settings.database_url)
        supervisor = supervisor_of(
            *place,
            stop_request=stop_request,
            server=server,
            dsn=dsn,
            sleep=stack.enter_context(light_sleep()),
            provider_keys=_key_names(settings),
            worker=worker_of(settings),
        )
        stack.callback(supervisor.stop)
        supervisor.launch()
        if server is not None:
            server.start()
        started_when_up = _prepare(place, supervisor, dsn())
        if not stop_request.is_made and _is_up(place, supervisor, stop_request):
            on_start(started_when_up())
            supervisor.run()
    return 0


def _claim(settings: Settings, stack: ExitStack) -> _Place:
    """The port first: if another program has it, nothing was changed yet. Then the home, locked for this process."""
    sock = stack.enter_context(listening_socket(settings.host, settings.port))
    sandbox = stack.enter_context(listening_socket(SANDBOX_HOST, 0)) if _runs_sandbox(settings) else None
    make_home(settings)
    lock = SupervisorLock(settings.home / "serve.lock")
    lock.take()
    stack.callback(lock.release)
    return _Place(settings, sock, sandbox, _metrics_folder(settings, stack))


def _runs_sandbox(settings: Settings) -> bool:
    """`auto` means on if no provider has a key and there is no providers file. Raises: OperatorError for a bad file."""
    if settings.sandbox == "auto":
        return not _has_providers(settings)
    return settings.sandbox == "on"


def _has_providers(settings: Settings) -> bool:
    return settings.providers_file is not None or bool(read_provider_keys(_key_names(settings)))


def _providers(settings: Settings) -> list[str]:
    """The providers in use, each with the source of its key."""
    keys = read_provider_keys(_key_names(settings))
    named = [
        f"{name} (key from {env})" for name, env in providers_of_keys(settings.providers_file).items() if env in keys
    ]
    return named + ([f"those of {settings.providers_file}"] if settings.providers_file else [])


def _key_names(settings: Settings) -> Collection[str]:
    try:
        return key_names(settings.providers_file)
    except ProvidersFileInvalid as error:
        raise OperatorError(str(error), WRONG_INPUT) from error


def _metrics_folder(settings: Settings, stack: ExitStack) -> Path:
    """In the home; a temporary folder if the user of the API processes cannot enter the home."""
    worker = worker_of(settings)
    if worker is not None and not can_reach(settings.home, worker):
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gatewayz-metrics-")))
        os.chown(folder, worker.uid, worker.gid)
        return folder
    return _fresh_folder(settings.run_folder / "metrics", worker)


def _fresh_folder(folder: Path, worker: UnprivilegedUser | None) -> Path:
    """Counters begin at zero with each start: processes of the previous start must not be counted again."""
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, mode=0o700)
        if worker is not None:
            folder.parent.chmod(PASSABLE_MODE)
            os.chown(folder, worker.uid, worker.gid)
    except OSError as error:
        raise OperatorError(f"cannot make {folder}: {error.strerror}; give access, or set GATEWAYZ_HOME") from error
    return folder


def _prepare(place: _Place, supervisor: Supervisor, dsn: str) -> Callable[[], Started]:
    """Prepare the database and begin the children that wait for it. Returns `seed`, to be called once the API is up."""
    # Imported here because it takes 0.3 s: the children are launched already and load their code at the same time.
    from adapters.wiring.compose.seed import seed
    from adapters.wiring.database.database import prepare_database
    from adapters.wiring.processes.hand_over import handed_to

    database = prepare_database(dsn, place.settings)
    supervisor.begin(lambda child, dsn: handed_to(child, database.at(dsn)))
    return partial(
        seed,
        database,
        place.settings,
        url_of(place.sock),
        runs_sandbox=place.sandbox is not None,
        providers=_providers(place.settings),
    )


def _is_up(place: _Place, supervisor: Supervisor, stop_request: StopRequest) -> bool:
    """Wait until /ready is positive; False after a stop signal. Raises: OperatorError.

    An API that answers but stays not ready (its read models lag far behind) is served all the same.
    """
    probe = Probe(url_of(place.sock) + "/ready")
    if supervisor.wait_until(probe.is_ready, READY_WITHIN_S):
        return True
    if stop_request.is_made:
        return False
    if supervisor.has_hopeless_child():
        raise _AlreadyLogged("", WRONG_INPUT)
    if not probe.last_answer:
        raise OperatorError(f"the API does not answer after {READY_WITHIN_S:.0f} s: see the log above")
    log.warning("not ready yet", answer=probe.last_answer)
    return True
