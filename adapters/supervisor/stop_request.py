"""Being told to stop: the first signal asks, a later one hurries."""

import signal
import time
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

SAME_REQUEST_S = 1.0
"""A terminal, make and a service manager may each pass one Ctrl-C on: signals this close together are one request."""


class StopRequest:
    """Set by signals of this process; asked for by whoever loops."""

    def __init__(self) -> None:
        self._first_s: float | None = None
        self.is_urgent = False

    @property
    def is_made(self) -> bool:
        return self._first_s is not None

    def listen(self) -> None:
        """Main thread only. SIGHUP stays ignored where it is (nohup)."""
        for number in SIGNALS:
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._note)

    def _note(self, number: int, frame: FrameType | None) -> None:
        now_s = time.monotonic()
        if self._first_s is None:
            self._first_s = now_s
        elif now_s - self._first_s > SAME_REQUEST_S:
            self.is_urgent = True
