"""How often an address may try unknown keys."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from domain.errors import DomainError

MINUTE_S = 60.0

MAX_ADDRESSES = 10_000
"""Addresses remembered; beyond it, the one that failed first is forgotten."""

LANE_S = 0.05
"""Between two look-ups for addresses over their share: it bounds the cost of all of them together."""

MAX_IN_LANE = 8
"""Requests that wait for such a look-up; the next is refused without one."""


class FailedTries:
    """per_minute: 0 means no limit.

    An address over its share is not shut out: a customer may share it. Keys from it that are not in memory are looked
    up one at a time, slowly; if such a key is unknown, or too many wait, the answer is 429.
    """

    def __init__(self, per_minute: int = 0, now_s: Callable[[], float] = time.monotonic) -> None:
        self._per_minute = per_minute
        self._now_s = now_s
        self._failed: dict[str, tuple[float, int]] = {}  # address -> beginning of its minute, failures since
        self._lane = asyncio.Lock()
        self._in_lane = 0

    @asynccontextmanager
    async def look_up(self, address: str) -> AsyncIterator[None]:
        """Raises: DomainError too_many_failed_keys."""
        if not self._is_over(address):
            yield
            return
        if self._in_lane >= MAX_IN_LANE:
            raise self._too_many(address)
        self._in_lane += 1
        try:
            async with self._lane:
                await asyncio.sleep(LANE_S)
            yield
        finally:
            self._in_lane -= 1

    def note(self, address: str) -> None:
        """Count an unknown key. Raises: DomainError too_many_failed_keys if that is one too many."""
        if not self._per_minute:
            return
        if self._is_over(address):
            raise self._too_many(address)
        began_s, failed = self._current(address)
        self._failed[address] = began_s, failed + 1
        if len(self._failed) > MAX_ADDRESSES:
            del self._failed[next(iter(self._failed))]

    def _is_over(self, address: str) -> bool:
        return bool(self._per_minute) and self._current(address)[1] >= self._per_minute

    def _current(self, address: str) -> tuple[float, int]:
        began_s, failed = self._failed.get(address, (self._now_s(), 0))
        if self._now_s() - began_s < MINUTE_S:
            return began_s, failed
        self._failed.pop(address, None)
        return self._now_s(), 0

    def _too_many(self, address: str) -> DomainError:
        left_s = MINUTE_S - (self._now_s() - self._current(address)[0])
        return DomainError("too_many_failed_keys", limit=self._per_minute, retry_after_s=max(1, round(left_s)))
