"""Requests to stop: the first signal asks, a later one makes it urgent."""

import signal
import time
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

SAME_REQUEST_S = 1.0
"""A terminal, make and a service manager may each pass on one Ctrl-C: signals this close together are one request."""


class StopRequest:
    """Set by signals to this process, polled by loops."""

    def __init__(self) -> None:
        self._first_s: float | None = None
        self.is_urgent = False

    @property
    def is_made(self) -> bool:
        return self._first_s is not None

    def listen(self) -> None:
        """Install the signal handlers; main thread only. If SIGHUP is ignored (nohup) it stays ignored."""
        for number in SIGNALS:
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._note)

    def _note(self, number: int, frame: FrameType | None) -> None:
        now_s = time.monotonic()
        if self._first_s is None:
            self._first_s = now_s
        elif now_s - self._first_s > SAME_REQUEST_S:
            self.is_urgent = True
