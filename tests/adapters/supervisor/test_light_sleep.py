"""What ends a sleep: the end of a child, and a signal, in whichever thread it is taken."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from adapters.supervisor.light_sleep import Sleep, light_sleep

LONG_S = 5.0
AT_ONCE_S = 1.0


@pytest.fixture
def sleep() -> Iterator[Sleep]:
    with light_sleep() as made:
        yield made


@pytest.fixture
def handled() -> Iterator[list[int]]:
    """The signals SIGUSR1 that a handler has taken."""
    taken: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda number, frame: taken.append(number))
    yield taken
    signal.signal(signal.SIGUSR1, before)


def slept_s(sleep: Sleep, at_most_s: float) -> float:
    began_s = time.monotonic()
    sleep(at_most_s)
    return time.monotonic() - began_s


def in_another_thread(act: Callable[[], object], after_s: float = 0.2) -> None:
    threading.Timer(after_s, act).start()


def ended_child() -> "subprocess.Popen[bytes]":
    child = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    return child


def test_it_lasts_while_nothing_happens(sleep: Sleep) -> None:
    assert 0.2 <= slept_s(sleep, 0.2) < AT_ONCE_S
    assert slept_s(sleep, -1.0) < AT_ONCE_S


def test_the_end_of_a_child_ends_it(sleep: Sleep) -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(0.2)"]) as child:
        assert slept_s(sleep, LONG_S) < LONG_S - 1
        assert child.wait(1) == 0


def test_a_signal_that_another_thread_takes_ends_it(sleep: Sleep, handled: list[int]) -> None:
    in_another_thread(lambda: signal.pthread_kill(threading.get_ident(), signal.SIGUSR1))
    assert slept_s(sleep, LONG_S) < LONG_S - 1
    assert handled == [signal.SIGUSR1]


def test_what_happened_before_it_ends_it_once(sleep: Sleep) -> None:
    first, second = ended_child(), ended_child()
    assert slept_s(sleep, LONG_S) < AT_ONCE_S
    assert slept_s(sleep, 0.2) >= 0.2, "the first sleep has taken both"
    first.wait()
    second.wait()


def test_a_child_is_noticed_although_our_parent_blocked_the_signal() -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    try:
        with light_sleep() as sleep, subprocess.Popen([sys.executable, "-c", ""]):
            assert slept_s(sleep, LONG_S) < LONG_S - 1
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def test_it_leaves_signals_as_they_were() -> None:
    handler, fd = signal.getsignal(signal.SIGCHLD), signal.set_wakeup_fd(-1)
    with light_sleep():
        pass
    assert signal.getsignal(signal.SIGCHLD) == handler
    assert signal.set_wakeup_fd(fd) == -1
