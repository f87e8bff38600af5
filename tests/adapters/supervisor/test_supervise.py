"""The order of stopping, and what is done about a server that dies."""

import os
import signal
import sys
import threading
import time
from pathlib import Path

from adapters.embedded import EmbeddedPostgresError
from adapters.supervisor.child import Child, Program, Spare
from adapters.supervisor.stop_request import StopRequest
from adapters.supervisor.supervise import Stage, Supervisor

WAITING = """
import signal, sys, time
def stop(*_):
    time.sleep(float(sys.argv[3])); open(sys.argv[1], "a").write(sys.argv[2] + " stopped\\n"); sys.exit()
signal.signal(signal.SIGTERM, stop)
open(sys.argv[1], "a").write(sys.argv[2] + " up " + sys.stdin.readline())
while True: time.sleep(0.01)
"""


class FakeServer:
    """A server that dies when it is told to; `dsn` changes if its port was taken meanwhile."""

    def __init__(self, journal: Path) -> None:
        self._journal = journal
        self.port = 1
        self.has_died = False
        self.cannot_start = False
        self.tries = 0

    def dsn(self) -> str:
        return f"server {self.port}"

    def restart_if_dead(self) -> bool:
        if not self.has_died:
            return False
        self.tries += 1
        if self.cannot_start:
            raise EmbeddedPostgresError("the disk is full")
        self.has_died = False
        return True

    def stop(self) -> None:
        with self._journal.open("a") as journal:
            journal.write("server stopped\n")


class House:
    def __init__(self, folder: Path, *, slowness_s: float = 0.0, patience_s: float = 10.0) -> None:
        self.journal = folder / "journal"
        self.server = FakeServer(self.journal)
        self.stop_request = StopRequest()
        children = {name: self._child(name, slowness_s) for name in ("api", "projector", "sandbox")}
        spare = Spare(Program("spare", (sys.executable, "-c", "input()"), dict(os.environ), waits=True))
        self.supervisor = Supervisor(
            [Stage([child], patience_s) for child in children.values()],
            spare,
            self.stop_request,
            self.server,
            self.server.dsn,
            time.sleep,
        )
        self.supervisor.launch()
        self.supervisor.begin()
        self.until(lambda: self.told().count(" up ") == 3)

    def _child(self, name: str, slowness_s: float) -> Child:
        code = (sys.executable, "-c", WAITING, str(self.journal), name, str(slowness_s))
        return Child(Program(name, code, dict(os.environ), waits=True))

    def told(self) -> str:
        return self.journal.read_text() if self.journal.exists() else ""

    def until(self, holds: object, *, ticking: bool = False) -> None:
        deadline_s = time.monotonic() + 20
        while not holds():  # type: ignore[operator]
            assert time.monotonic() < deadline_s, self.told()
            if ticking:
                self.supervisor.tick()
            time.sleep(0.01)


def test_stages_stop_one_after_the_other_and_the_server_last(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.supervisor.stop()
    ends = [line for line in house.told().splitlines() if line.endswith("stopped")]
    assert ends == ["api stopped", "projector stopped", "sandbox stopped", "server stopped"]


def test_one_that_does_not_stop_is_killed_after_its_patience(tmp_path: Path) -> None:
    house = House(tmp_path, slowness_s=60, patience_s=0.2)
    began_s = time.monotonic()
    house.supervisor.stop()
    assert time.monotonic() - began_s < 5
    assert house.told().endswith("server stopped\n")
    assert "api stopped" not in house.told()


def test_a_second_request_does_not_wait(tmp_path: Path) -> None:
    house = House(tmp_path, slowness_s=60)

    def hurry() -> None:
        house.stop_request.is_urgent = True

    threading.Timer(0.3, hurry).start()
    began_s = time.monotonic()
    house.supervisor.stop()
    assert time.monotonic() - began_s < 5


def test_children_begin_anew_when_the_server_comes_back_elsewhere(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.server.has_died, house.server.port = True, 2
    house.until(lambda: house.told().count(" up server 2") == 3, ticking=True)
    house.supervisor.stop()


def test_children_stay_when_the_server_comes_back_where_it_was(tmp_path: Path) -> None:
    house = House(tmp_path)
    before = [child.pid for child in house.supervisor.children]
    house.server.has_died = True
    house.until(lambda: house.server.tries == 1, ticking=True)
    assert [child.pid for child in house.supervisor.children] == before
    house.supervisor.stop()


def test_a_server_that_does_not_come_back_is_tried_once_a_second(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.server.has_died = house.server.cannot_start = True
    ends_s = time.monotonic() + 1.5
    while time.monotonic() < ends_s:
        house.supervisor.tick()
        time.sleep(0.01)
    assert house.server.tries == 2
    house.supervisor.stop()


def test_waiting_goes_on_over_a_killed_child_and_ends_with_a_hopeless_one(tmp_path: Path) -> None:
    house = House(tmp_path)
    first = house.supervisor.children[0]
    assert first.pid is not None
    os.kill(first.pid, signal.SIGKILL)
    assert house.supervisor.wait_until(lambda: house.told().count("api up ") == 2, patience_s=20)
    house.supervisor.stop()
    hopeless = Child(Program("api", (sys.executable, "-c", "import sys; sys.exit(2)"), dict(os.environ)))
    spare = Spare(Program("spare", (), {}))
    supervisor = Supervisor([Stage([hopeless], 0)], spare, StopRequest(), None, lambda: "", time.sleep)
    supervisor.launch()
    assert not supervisor.wait_until(lambda: False, patience_s=20)
    assert supervisor.has_hopeless_child()
    supervisor.stop()
