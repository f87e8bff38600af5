"""A bound on log lines of one kind: a flood of refused requests must not become a flood of lines."""

import time
from collections.abc import Callable


class LineBudget:
    """At most `most` lines a second; lines left out are counted, and the next line written reports the count."""

    def __init__(self, most: int, now_s: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._now_s = now_s
        self._second = 0
        self._written = 0
        self._left_out = 0

    def take(self) -> int | None:
        """The number of lines left out before this one; None if this one must be left out too."""
        second = int(self._now_s())
        if second != self._second:
            self._second, self._written = second, 0
        if self._written >= self._most:
            self._left_out += 1
            return None
        self._written += 1
        left_out, self._left_out = self._left_out, 0
        return left_out
