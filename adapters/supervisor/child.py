"""One supervised process: launched, begun, replaced when it dies."""

import math
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import NamedTuple

import structlog

from adapters.embedded.child import dies_with_parent

STEADY_S = 5.0
"""A process that lived this long started well: its death begins a new row of deaths."""

FIRST_PAUSE_S = 0.25
MAX_PAUSE_S = 10.0
"""A process that cannot start is retried often enough to be back soon after the cause is gone."""

SPARE_AFTER_S = 3.0
"""Until then the start, or the process that replaced a dead one, has the machine to itself."""

OnDeath = Callable[[int], None]

log = structlog.get_logger()


class Program(NamedTuple):
    """What to run.

    waits:  the program loads its code, then waits for a line on stdin. Loading takes a second or two: this way it
            happens while Postgres starts, or before a spare is needed.
    """

    name: str
    argv: tuple[str, ...]
    environment: Mapping[str, str]
    fds: tuple[int, ...] = ()
    waits: bool = False


class Process:
    """One run of a program, in its own session: signals to our terminal or group do not reach it. The kernel kills it
    when we die."""

    def __init__(self, program: Program) -> None:
        self._popen = subprocess.Popen(
            program.argv,
            stdin=subprocess.PIPE if program.waits else subprocess.DEVNULL,
            stdout=2,  # stdout is for messages of serve to its user
            env=dict(program.environment),
            pass_fds=program.fds,
            start_new_session=True,
            preexec_fn=dies_with_parent(signal.SIGKILL),  # noqa: PLW1509 - one prctl
        )
        self.begun_s = time.monotonic()

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative: the number of the signal that ended it."""
        return self._popen.poll()

    def begin(self, word: str) -> None:
        """Send the line that it waits for."""
        self.begun_s = time.monotonic()
        if self._popen.stdin is not None:
            with suppress(BrokenPipeError):  # it has died; the next `tend` notices
                self._popen.stdin.write(word.encode() + b"\n")
                self._popen.stdin.close()

    def ask_to_stop(self) -> None:
        self._popen.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """On return the process has ended."""
        self._popen.kill()
        self._popen.wait()
        if self._popen.stdin is not None:
            self._popen.stdin.close()


class Spare:
    """A process that has loaded its code and waits to replace a dead one of the same program."""

    def __init__(self, program: Program, after_s: float = SPARE_AFTER_S) -> None:
        """after_s: from the first `tend`, or from the last `take`, until a spare is launched."""
        self._program = program
        self._after_s = after_s
        self._process: Process | None = None
        self._due_s: float | None = None

    @property
    def due_s(self) -> float:
        """When `tend` has a process to launch; infinite while one waits, and before the first `tend`."""
        return self._due_s if self._process is None and self._due_s is not None else math.inf

    def take(self) -> Process | None:
        process, self._process = self._process, None
        self._due_s = time.monotonic() + self._after_s
        return process if process is not None and process.exit_code is None else None

    def tend(self) -> None:
        """Launch a spare when it is due, also after one died."""
        if self._due_s is None or (self._process is not None and self._process.exit_code is not None):
            self._process, self._due_s = None, time.monotonic() + self._after_s
        if self._process is None and time.monotonic() >= self._due_s:
            self._process = Process(self._program)

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()


class Child:
    """Keeps one program running."""

    def __init__(self, program: Program, spare: Spare | None = None, on_death: OnDeath = lambda pid: None) -> None:
        """on_death: called with the pid of each process that died."""
        self.name = program.name
        self._program = program
        self._spare = spare
        self._on_death = on_death
        self._process: Process | None = None
        self._deaths_in_a_row = 0
        self._due_s = 0.0

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    @property
    def exit_code(self) -> int | None:
        """Exit code of the present process; None while it runs, or before it was launched."""
        return self._process.exit_code if self._process is not None else None

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.exit_code is None

    @property
    def due_s(self) -> float:
        """When `tend` has a process to start; infinite while one is launched."""
        return self._due_s if self._process is None else math.inf

    def launch(self) -> None:
        self._process = Process(self._program)

    def begin(self, word: str) -> None:
        if self._process is not None:
            self._process.begin(word)

    def tend(self, word: str) -> None:
        """Notice a death; after a pause start a replacement and send it `word`. Call it on SIGCHLD and at `due_s`."""
        if self._process is not None and self._process.exit_code is not None:
            self._bury(self._process)
        if self._process is None and time.monotonic() >= self._due_s:
            self._process = (self._spare.take() if self._spare else None) or Process(self._program)
            self._process.begin(word)
            log.info("started", child=self.name, pid=self.pid)

    def ask_to_stop(self) -> None:
        if self._process is not None:
            self._process.ask_to_stop()

    def kill(self) -> None:
        """On return the process has ended; only `tend` starts another."""
        if self._process is not None:
            self._process.kill()
            self._process = None

    def _bury(self, dead: Process) -> None:
        lived_s = time.monotonic() - dead.begun_s
        self._deaths_in_a_row = 1 if lived_s > STEADY_S else self._deaths_in_a_row + 1
        pause_s = pause_after(self._deaths_in_a_row)
        self._due_s = time.monotonic() + pause_s
        log.warning("died", child=self.name, pid=dead.pid, exit_code=dead.exit_code, again_in_s=pause_s)
        self._process = None
        self._on_death(dead.pid)


def pause_after(deaths_in_a_row: int) -> float:
    """Seconds until the next start: 0 after the first death, then doubling.

    >>> [pause_after(deaths) for deaths in (1, 2, 3, 4, 20)]
    [0.0, 0.25, 0.5, 1.0, 10.0]
    """
    if deaths_in_a_row <= 1:
        return 0.0
    return float(min(FIRST_PAUSE_S * 2 ** min(deaths_in_a_row - 2, 10), MAX_PAUSE_S))
