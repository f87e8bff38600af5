"""A supervisor that has nothing to do sleeps, and what it has to do wakes it in time although it polls seldom."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from adapters.embedded import EmbeddedPostgresError
from adapters.supervisor import supervise
from adapters.supervisor.child import Child, Program, Spare
from adapters.supervisor.light_sleep import Sleep, light_sleep
from adapters.supervisor.stop_request import SAME_REQUEST_S, SIGNALS, StopRequest
from adapters.supervisor.supervise import Server, Stage, Supervisor

SELDOM_S = 5.0
"""Stands for LOOK_S: what happens much earlier was not found by looking."""

AT_ONCE_S = 0.2
"""50 ms are meant; the rest is for a machine that runs other tests."""

SLEEPING = "import time; time.sleep(60)"
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
FAILING = "import sys; sys.exit(3)"
NOTING = "import sys; open(sys.argv[1], 'w').close(); input()"


class BrokenServer:
    """Does not come back. tries_s: when it was tried to start it."""

    def __init__(self) -> None:
        self.has_died = False
        self.tries_s: list[float] = []

    def restart_if_dead(self) -> bool:
        if not self.has_died:
            return False
        self.tries_s.append(time.monotonic())
        raise EmbeddedPostgresError("the disk is full")

    def stop(self) -> None:
        pass


class House:
    """A supervisor of this process, which signals stop. sleeps: how often it slept."""

    def __init__(self, sleep: Sleep) -> None:
        self.sleeps = 0
        self._sleep = sleep
        self._stop_request = StopRequest()
        self._stop_request.listen()
        self.supervisor: Supervisor | None = None

    def of(self, *children: Child, spare: Spare | None = None, server: Server | None = None) -> Supervisor:
        spare = spare or Spare(program("input()", waits=True), after_s=60)
        stages = [Stage(children, patience_s=30)]
        self.supervisor = Supervisor(stages, spare, self._stop_request, server, lambda: "", self._count_and_sleep)
        self.supervisor.launch()
        self.supervisor.begin()
        return self.supervisor

    def _count_and_sleep(self, at_most_s: float) -> None:
        self.sleeps += 1
        self._sleep(at_most_s)


@pytest.fixture
def house() -> Iterator[House]:
    before = {number: signal.getsignal(number) for number in SIGNALS}
    with light_sleep() as sleep:
        made = House(sleep)
        yield made
        if made.supervisor is not None:
            for child in made.supervisor.children:
                child.kill()
            made.supervisor.stop()
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def looks_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervise, "LOOK_S", SELDOM_S)


def program(code: str, *arguments: str, waits: bool = False) -> Program:
    return Program("test", (sys.executable, "-c", code, *arguments), dict(os.environ), waits=waits)


def after(seconds: float, act: Callable[[], object]) -> None:
    threading.Timer(seconds, act).start()


def ask_to_stop() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def test_while_nothing_happens_it_wakes_once_a_second(house: House) -> None:
    supervisor = house.of(Child(program(SLEEPING)), server=BrokenServer())
    after(2.5, ask_to_stop)
    supervisor.run()
    assert house.sleeps <= 4


@pytest.mark.usefixtures("looks_seldom")
def test_a_death_is_noticed_at_once(house: House) -> None:
    killed_s: list[float] = []
    noticed_s: list[float] = []
    child = Child(program(SLEEPING), on_death=lambda pid: noticed_s.append(time.monotonic()))
    supervisor = house.of(child)
    first = child.pid
    assert first is not None

    def kill() -> None:
        killed_s.append(time.monotonic())
        os.kill(first, signal.SIGKILL)

    after(0.5, kill)
    after(1.0, ask_to_stop)
    supervisor.run()
    assert noticed_s[0] - killed_s[0] < AT_ONCE_S
    assert child.is_running, "another was started"


@pytest.mark.usefixtures("looks_seldom")
def test_a_start_that_has_to_wait_happens_in_time(house: House) -> None:
    deaths: list[int] = []
    supervisor = house.of(Child(program(FAILING), on_death=deaths.append))
    after(3.0, ask_to_stop)
    supervisor.run()
    assert len(deaths) >= 4, "after 0, 0.25, 0.5 and 1 s"


@pytest.mark.usefixtures("looks_seldom")
def test_a_spare_is_launched_when_it_is_due(house: House, tmp_path: Path) -> None:
    spare = Spare(program(NOTING, str(tmp_path / "spare is up"), waits=True), after_s=0.5)
    supervisor = house.of(Child(program(SLEEPING)), spare=spare)
    after(2.5, ask_to_stop)
    supervisor.run()
    assert (tmp_path / "spare is up").exists()


@pytest.mark.usefixtures("looks_seldom")
def test_a_server_that_does_not_come_back_is_tried_again_in_time(house: House) -> None:
    server = BrokenServer()
    supervisor = house.of(Child(program(SLEEPING)), server=server)

    def die() -> None:
        server.has_died = True
        os.kill(os.getpid(), signal.SIGCHLD)

    after(0.3, die)
    after(2.8, ask_to_stop)
    supervisor.run()
    assert len(server.tries_s) == 3
    assert 1.0 <= server.tries_s[1] - server.tries_s[0] < 1.0 + AT_ONCE_S


@pytest.mark.usefixtures("looks_seldom")
def test_it_stops_at_once(house: House) -> None:
    supervisor = house.of(Child(program(SLEEPING)))
    asked_s: list[float] = []

    def ask() -> None:
        asked_s.append(time.monotonic())
        ask_to_stop()

    after(0.5, ask)
    supervisor.run()
    assert time.monotonic() - asked_s[0] < AT_ONCE_S
    supervisor.stop()
    assert time.monotonic() - asked_s[0] < 1.0, "the end of the last child ends the wait for it"


@pytest.mark.usefixtures("looks_seldom")
def test_a_second_request_hurries_at_once(house: House) -> None:
    supervisor = house.of(Child(program(DEAF)))
    after(0.5, ask_to_stop)
    after(0.5 + SAME_REQUEST_S + 0.1, ask_to_stop)
    supervisor.run()
    began_s = time.monotonic()
    supervisor.stop()
    assert time.monotonic() - began_s < SAME_REQUEST_S + 1.0
