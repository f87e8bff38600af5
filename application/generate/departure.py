"""A client that leaves before the first output of its stream."""

import asyncio
from math import inf


class Departure:
    """Once the provider has begun to answer, be it with a role alone, it is read on for `read_on_s` after the client
    left, as in the rest of the stream; until then as long as for a client that is there."""

    def __init__(self, read_on_s: float) -> None:
        self.has_happened = False
        self._read_on_s = read_on_s
        self._until_s: float | None = None
        self._limit: asyncio.Timeout | None = None

    def happen(self) -> None:
        self.has_happened = True
        if self._limit is not None and not self._limit.expired():
            self._limit.reschedule(min(self._limit.when() or inf, self.until_s))

    def bound(self, limit: asyncio.Timeout) -> None:
        """The provider has begun to answer: the client's leaving, past or to come, brings `limit` forward."""
        if self._limit is None:
            self._limit = limit
            if self.has_happened:
                self.happen()

    def unbound(self) -> None:
        self._limit = None

    @property
    def until_s(self) -> float:
        """Of the loop's clock: when reading on ends. The first to ask starts it."""
        if self._until_s is None:
            self._until_s = asyncio.get_running_loop().time() + self._read_on_s
        return self._until_s
