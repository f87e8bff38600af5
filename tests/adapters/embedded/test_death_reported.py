"""A supervisor that sleeps learns from the kernel that PostgreSQL died: the postmaster is its direct child."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.embedded import EmbeddedPostgres
from adapters.supervisor import supervise
from adapters.supervisor.child import Program, Spare
from adapters.supervisor.light_sleep import Sleep, light_sleep
from adapters.supervisor.stop_request import SIGNALS, StopRequest
from adapters.supervisor.supervise import Supervisor

from .observe import Serve, sql

NOTICED_WITHIN_S = 0.1
LOOKS_EVERY_S = 10.0


class Watched:
    """noticed_s: when the supervisor first looked after the server had died."""

    def __init__(self, server: EmbeddedPostgres) -> None:
        self._server = server
        self.noticed_s: float | None = None

    def restart_if_dead(self) -> bool:
        if self._server.pid is None and self.noticed_s is None:
            self.noticed_s = time.monotonic()
        return self._server.restart_if_dead()

    def stop(self) -> None:
        self._server.stop()


@pytest.fixture
def sleep() -> Iterator[Sleep]:
    before = {number: signal.getsignal(number) for number in SIGNALS}
    with light_sleep() as made:
        yield made
    for number, handler in before.items():
        signal.signal(number, handler)


def test_p9_a_server_that_dies_is_noticed_within_100_ms_though_nothing_polls(
    made_home: Path, serve: Serve, sleep: Sleep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervise, "LOOK_S", LOOKS_EVERY_S)
    server = serve(made_home)
    watched, stop_request, killed_s = Watched(server), StopRequest(), []
    stop_request.listen()
    spare = Spare(Program("spare", (), {}), after_s=60)
    postmaster = server.pid
    assert postmaster is not None

    def kill() -> None:
        killed_s.append(time.monotonic())
        os.kill(postmaster, signal.SIGKILL)

    threading.Timer(0.5, kill).start()
    threading.Timer(1.0, lambda: os.kill(os.getpid(), signal.SIGTERM)).start()
    Supervisor([], spare, stop_request, watched, server.dsn, sleep).run()
    assert watched.noticed_s is not None
    assert watched.noticed_s - killed_s[0] < NOTICED_WITHIN_S
    assert server.restarts == 1
    assert sql(server.dsn(), "SELECT 1") == 1
