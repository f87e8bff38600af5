"""A bound on lines of one kind in the log: a stranger's flood of refusals must not become a flood of lines."""

import time
from collections.abc import Callable


class LineBudget:
    """`most` lines a second; those left out are counted and told with the next one that is written."""

    def __init__(self, most: int, now_s: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._now_s = now_s
        self._second = 0
        self._written = 0
        self._left_out = 0

    def take(self) -> int | None:
        """How many lines were left out before this one; None if this one is to be left out too."""
        second = int(self._now_s())
        if second != self._second:
            self._second, self._written = second, 0
        if self._written >= self._most:
            self._left_out += 1
            return None
        self._written += 1
        left_out, self._left_out = self._left_out, 0
        return left_out
