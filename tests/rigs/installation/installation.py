"""An installation as a person has it: a home, `gatewayz serve` in a terminal of its own, the other verbs beside it."""

import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

from tests.rigs.processes import children_of

ROOT = Path(__file__).parents[3]
GATEWAYZ = (sys.executable, "-m", "adapters.wiring")
UP_WITHIN_S = 90.0
"""On a machine that runs other tests beside this one."""


def on_a_free_machine(seconds: float) -> float:
    """A time promised for a machine that does nothing else, stretched by what this one has to do beside us."""
    return seconds * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def eventually(holds: Callable[[], Any], within_s: float = 30.0, every_s: float = 0.02) -> Any:
    """The first truthy answer."""
    deadline_s = time.monotonic() + within_s
    while not (found := holds()):
        assert time.monotonic() < deadline_s, f"did not happen within {within_s} s"
        time.sleep(every_s)
    return found


class Installation:
    """settings: environment variables that differ from what the tests run under."""

    def __init__(self, home: Path, **settings: str) -> None:
        self.home = home
        self.settings = {"GATEWAYZ_HOME": str(home), "GATEWAYZ_PORT": "0", **settings}
        self.supervisor: subprocess.Popen[str] | None = None
        self.told = ""
        self._shown: TextIO | None = None
        self.code = ROOT

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": str(self.code), **self.settings}

    def start(self, **settings: str) -> float:
        """`gatewayz serve` in a session of its own; returns how many seconds passed until it told how to use it."""
        self.settings |= settings
        began_s = time.monotonic()
        self._let_go()
        ours, terminal = pty.openpty()
        self.supervisor = subprocess.Popen(
            [*GATEWAYZ, "serve"], env=self.environment, stdout=terminal, text=True, start_new_session=True
        )
        os.close(terminal)
        self._shown = os.fdopen(ours, encoding="utf-8")  # as long as the process writes to it
        watchdog = threading.Timer(UP_WITHIN_S, self.supervisor.kill)
        watchdog.start()
        self.told = "".join(iter(self._next_line, "Stop with Ctrl-C.\n"))
        watchdog.cancel()
        return time.monotonic() - began_s

    def _let_go(self) -> None:
        """Of the terminal that the last start was shown on."""
        if self._shown is not None:
            self._shown.close()
            self._shown = None

    def _next_line(self) -> str:
        assert self.supervisor is not None
        assert self._shown is not None
        line = ""
        with suppress(OSError):  # EIO: nobody has the other end any more
            line = self._shown.readline()
        assert line, f"serve ended with {self.supervisor.wait()} before it was up"
        return line

    def signal(self, number: signal.Signals) -> None:
        """To the whole process group, as a terminal does."""
        assert self.supervisor is not None
        os.killpg(self.supervisor.pid, number)

    def stopped(self, within_s: float = 60.0) -> int:
        """Its exit code once it has ended."""
        assert self.supervisor is not None
        with self.supervisor as ending:
            return ending.wait(within_s)

    def stop(self) -> None:
        if self.supervisor is not None and self.supervisor.poll() is None:
            self.supervisor.terminate()
            self.stopped()

    def command(self, *arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
        """Another verb, run to its end."""
        environment = {**self.environment, **settings}
        return subprocess.run(
            [*GATEWAYZ, *arguments], env=environment, capture_output=True, text=True, timeout=UP_WITHIN_S, check=False
        )

    @property
    def credentials(self) -> dict[str, str]:
        return dict(json.loads((self.home / "credentials.json").read_text()))

    def chat(self, model: str = "sandbox/echo", **more: object) -> dict[str, Any]:
        """A chat completion with the demo key; an error status raises."""
        body = {"model": model, "messages": [{"role": "user", "content": "one two three"}], **more}
        with urllib.request.urlopen(self.request("/v1/chat/completions", body), timeout=60) as answer:
            return dict(json.load(answer))

    def request(self, path: str, body: object = None, key: str = "") -> urllib.request.Request:
        credentials = self.credentials
        data = json.dumps(body).encode() if body is not None else None
        headers = {"authorization": f"Bearer {key or credentials['demo_key']}", "content-type": "application/json"}
        return urllib.request.Request(credentials["base_url"] + path, data, headers)

    def children(self, word: str) -> list[int]:
        """Pids of the supervisor's children that have `word` in their command line, oldest first."""
        assert self.supervisor is not None
        return [child.pid for child in children_of(self.supervisor.pid) if word in child.command_line]

    def left_running(self) -> list[str]:
        """Command lines of all processes that know this home: by argument, by environment, or by working in it."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            words = _read(process / "cmdline") + _read(process / "environ") + _link(process / "cwd")
            if str(self.home) in words and process.name != str(os.getpid()):
                found.append(_read(process / "cmdline").replace("\0", " "))
        return found

    def leaves_nothing_running(self, within_s: float = 10.0) -> bool:
        deadline_s = time.monotonic() + within_s
        while left := self.left_running():
            assert time.monotonic() < deadline_s, f"still running: {left}"
            time.sleep(0.05)
        return True


def _read(file: Path) -> str:
    with suppress(OSError):
        return file.read_text(errors="replace")
    return ""


def _link(link: Path) -> str:
    with suppress(OSError):
        return str(link.readlink())
    return ""


def is_idle(pid: int) -> bool:
    """It uses no processor for a while: it waits for something."""

    def used() -> str:
        return " ".join(_read(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()[11:13])

    before = used()
    time.sleep(0.3)
    return used() == before


@contextmanager
def installation(home: str = "home", **settings: str) -> Iterator[Installation]:
    """A home that PostgreSQL's unprivileged user can reach; whatever was started in it is ended afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="gatewayz-e2e-"))
    folder.chmod(0o711)
    made = Installation(folder / home, **settings)
    try:
        yield made
    finally:
        made.stop()
        made._let_go()
        made.leaves_nothing_running()
        shutil.rmtree(folder)
