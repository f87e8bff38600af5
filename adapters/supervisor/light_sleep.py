"""Sleep until something happens: the end of a child, or a signal to this process."""

import os
import select
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Sleep = Callable[[float], None]
"""Takes the longest time to sleep, in seconds."""


@contextmanager
def light_sleep() -> Iterator[Sleep]:
    """A sleep that ends at once when a child ends, or when a signal arrives that has a handler; main thread only.

    An event between two sleeps ends the next one. Python takes a signal in any thread, and writes it to the wakeup fd
    there: time.sleep would go on if that was not the main thread.
    """
    awake, waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    handler_before = signal.signal(signal.SIGCHLD, lambda number, frame: None)  # without one nothing is written
    fd_before = signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})  # a program that started us may have blocked it
    events = select.poll()
    events.register(awake, select.POLLIN)
    try:
        yield lambda at_most_s: _sleep(events, at_most_s)
    finally:
        signal.set_wakeup_fd(fd_before)
        signal.signal(signal.SIGCHLD, handler_before)
        os.close(awake)
        os.close(waker)


def _sleep(events: select.poll, at_most_s: float) -> None:
    for awake, _ in events.poll(max(0.0, at_most_s) * 1000):
        os.read(awake, select.PIPE_BUF)
