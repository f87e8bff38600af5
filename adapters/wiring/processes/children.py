"""The child processes of `serve`: their programs, and the order in which they stop."""

import socket
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path

from adapters.embedded import EmbeddedPostgres
from adapters.embedded.unprivileged import UnprivilegedUser
from adapters.outbound.telemetry.forget_process import forget_process
from adapters.settings import Settings, environment_of_child
from adapters.settings.read_environment import Child as ChildName
from adapters.supervisor.child import Child, Program, Spare
from adapters.supervisor.light_sleep import Sleep
from adapters.supervisor.stop_request import StopRequest
from adapters.supervisor.supervise import Stage, Supervisor

PYTHON = (sys.executable, "-P", "-m")
"""-P: modules are loaded from the installation, never from the folder in which `serve` was called."""

SUPERVISED = (*PYTHON, "adapters.wiring.processes.supervised")

API_ENDS_AFTER_DRAIN_S = 15.0
"""Extra time for an API process after its drain: to settle interrupted requests, write the queue and disconnect."""

PROJECTOR_PATIENCE_S = 10.0
"""The projector first brings the read models to the end of the log, within half of this time."""

SANDBOX_PATIENCE_S = 5.0


def supervisor_of(
    settings: Settings,
    sock: socket.socket,
    sandbox: socket.socket | None,
    metrics_folder: Path,
    *,
    stop_request: StopRequest,
    server: EmbeddedPostgres | None,
    dsn: Callable[[], str],
    sleep: Sleep,
    provider_keys: Iterable[str],
    worker: UnprivilegedUser | None,
) -> Supervisor:
    """The API stops first: until open requests are settled they need the other processes, the sandbox included.

    provider_keys: names of the environment variables with the keys; only API processes get them.
    worker:        the user that the children switch to; None: they keep their user.
    """
    environment = partial(_environment, settings, sandbox, metrics_folder)
    on_death = partial(forget_process, metrics_folder)
    fd = sock.fileno()
    api = Program(
        "api", (*SUPERVISED, "api", str(fd)), environment("api", provider_keys=provider_keys), (fd,), waits=True
    )
    projector = Program("projector", (*SUPERVISED, "projector"), environment("projector"), waits=True)
    spare = Spare(api)
    stages = [
        Stage(
            [Child(api, spare, on_death) for _ in range(settings.workers)],
            settings.drain_s + API_ENDS_AFTER_DRAIN_S,
            then=partial(_close_port, sock),
        ),
        Stage([Child(projector)], PROJECTOR_PATIENCE_S),
    ]
    if sandbox is not None:
        fd = sandbox.fileno()
        user = (str(worker.uid), str(worker.gid)) if worker else ()
        argv = (*PYTHON, "adapters.embedded.sandbox", str(fd), *user)
        program = Program("sandbox", argv, environment("sandbox"), (fd,))
        stages.append(Stage([Child(program)], SANDBOX_PATIENCE_S))
    return Supervisor(stages, spare, stop_request, server, dsn, sleep)


def _close_port(port: socket.socket) -> None:
    from adapters.wiring.processes.close_own_port import close_own_port  # at the end only: it loads half of an API

    close_own_port(port)


def _environment(
    settings: Settings,
    sandbox: socket.socket | None,
    metrics_folder: Path,
    child: ChildName,
    provider_keys: Iterable[str] = (),
) -> Mapping[str, str]:
    changes = {"GATEWAYZ_HOME": str(settings.home), "PROMETHEUS_MULTIPROC_DIR": str(metrics_folder)}
    if sandbox is not None:
        changes["GATEWAYZ_SANDBOX_URL"] = f"http://127.0.0.1:{sandbox.getsockname()[1]}/v1"
    return environment_of_child(child, changes, provider_keys)
