"""A supervised process: replaced when it dies, slower if it keeps dying, gone when it has to be."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from adapters.supervisor.child import Child, Program, Spare, pause_after

WAITING = """
import sys, time
word = sys.stdin.readline()
with open(sys.argv[1], "a") as words:
    words.write(word)
time.sleep(60)
"""
SLEEPING = "import time; time.sleep(60)"
FAILING = "import sys; sys.exit(3)"


def program(code: str, *arguments: str, waits: bool = False) -> Program:
    return Program("test", (sys.executable, "-c", code, *arguments), dict(os.environ), waits=waits)


@pytest.fixture
def started() -> Iterator[Callable[..., Child]]:
    children: list[Child] = []

    def start(code: str, *arguments: str, waits: bool = False, **options: object) -> Child:
        child = Child(program(code, *arguments, waits=waits), **options)  # type: ignore[arg-type]
        children.append(child)
        child.launch()
        child.begin("hello")
        return child

    yield start
    for child in children:
        child.kill()


def until(holds: Callable[[], object], within_s: float = 10.0) -> None:
    deadline_s = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


def tended(child: Child, holds: Callable[[], object]) -> None:
    deadline_s = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline_s
        child.tend("hello again")
        time.sleep(0.01)


def test_one_that_is_killed_is_replaced_at_once(started: Callable[..., Child]) -> None:
    deaths: list[int] = []
    child = started(SLEEPING, on_death=deaths.append)
    first = child.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    until(lambda: child.exit_code is not None)
    child.tend("hello again")
    assert child.pid not in (None, first), "in the same turn in which the death was noticed"
    assert deaths == [first]


def test_one_that_cannot_start_is_tried_ever_slower() -> None:
    pauses = [pause_after(deaths) for deaths in range(1, 12)]
    assert pauses[0] == 0
    assert pauses == sorted(pauses)
    assert pauses[-1] == 10


def test_one_that_fails_at_once_is_not_started_in_every_turn(started: Callable[..., Child]) -> None:
    child = started(FAILING)
    runs = set()
    ends_s = time.monotonic() + 1.5
    while time.monotonic() < ends_s:
        child.tend("hello again")
        runs.add(child.pid)
        time.sleep(0.01)
    assert 2 <= len(runs - {None}) <= 5


def test_its_waiting_ends_with_a_word(started: Callable[..., Child], tmp_path: Path) -> None:
    started(WAITING, str(tmp_path / "words"), waits=True)
    until(lambda: (tmp_path / "words").exists() and (tmp_path / "words").read_text() == "hello\n")


def test_a_spare_steps_in_and_is_told_the_newest_word(tmp_path: Path) -> None:
    waiting = program(WAITING, str(tmp_path / "words"), waits=True)
    spare = Spare(waiting, after_s=0.0)
    child = Child(waiting, spare)
    child.launch()
    child.begin("first")
    until((tmp_path / "words").exists)
    for _ in range(2):  # the first look notes the time, the next finds it due
        spare.tend()
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    tended(child, lambda: (tmp_path / "words").read_text() == "first\nhello again\n")
    child.kill()
    spare.stop()


def test_it_is_not_hit_by_signals_to_our_group(started: Callable[..., Child]) -> None:
    child = started(SLEEPING)
    assert child.pid is not None
    assert os.getpgid(child.pid) == os.getsid(child.pid) == child.pid


def test_killing_it_keeps_it_dead_until_the_next_turn(started: Callable[..., Child]) -> None:
    child = started(SLEEPING)
    child.kill()
    assert not child.is_running
    assert child.pid is None
