"""A bound on the bytes of bodies in flight in one process, for any number of senders, however slow."""

import asyncio
from collections import deque
from types import TracebackType

from domain.errors import DomainError

SMALL_BYTES = 64 * 1024
"""Up to here a body is small: nearly all are."""

SMALLS_SHARE = 4
"""Small bodies may exceed the budget by a fourth, so that a few slow large ones cannot shut them out."""

PATIENCE_S = 5.0
"""The wait for room; after it, another process is a better place."""


class BodyBudget:
    """One per process. Waiting bodies get room in order, except that a small one may fit before a large one does."""

    def __init__(self, limit_bytes: int, patience_s: float = PATIENCE_S) -> None:
        self._limit_bytes = limit_bytes
        self._patience_s = patience_s
        self._waiting: deque[tuple[int, bool, asyncio.Future[None]]] = deque()
        self.held_bytes = 0

    def lease(self) -> "Lease":
        return Lease(self)

    def takes(self, size: int, *, is_small: bool) -> bool:
        """Whether there is room at once, before none that waits longer; if so, it is taken."""
        if not self._fits(size, is_small) or any(waits_small >= is_small for _, waits_small, _ in self._waiting):
            return False
        self.held_bytes += size
        return True

    async def take(self, size: int, *, is_small: bool) -> None:
        """Raises: DomainError overloaded if there is no room for `size` bytes in time."""
        if self.takes(size, is_small=is_small):
            return
        turn = asyncio.get_running_loop().create_future()
        waiting = (size, is_small, turn)
        self._waiting.append(waiting)
        try:
            async with asyncio.timeout(self._patience_s):
                await turn
        except TimeoutError:
            raise DomainError("overloaded", retry_after_s=1) from None
        finally:
            if waiting in self._waiting:
                self._waiting.remove(waiting)
            elif turn.cancelled():  # room was given, but its request has ended
                self.give_back(size)
            self._serve()

    def give_back(self, size: int) -> None:
        self.held_bytes -= size
        if self._waiting:
            self._serve()

    def _serve(self) -> None:
        blocked = False
        for waiting in list(self._waiting):
            size, is_small, turn = waiting
            if turn.done() or (blocked and not is_small):
                continue
            if not self._fits(size, is_small):
                blocked = True
                continue
            self._waiting.remove(waiting)
            self.held_bytes += size
            turn.set_result(None)

    def _fits(self, size: int, is_small: bool) -> bool:
        room = self._limit_bytes + (self._limit_bytes // SMALLS_SHARE if is_small else 0)
        return self.held_bytes + size <= room


class Lease:
    """The bytes that one request holds of the budget; given back on leaving."""

    def __init__(self, budget: BodyBudget) -> None:
        self._budget = budget
        self.held_bytes = 0

    def takes_small(self, size: int) -> bool:
        """Whether this small body has room at once; if so, it is taken."""
        is_taken = self.held_bytes + size <= SMALL_BYTES and self._budget.takes(size, is_small=True)
        self.held_bytes += size if is_taken else 0
        return is_taken

    async def take(self, size: int) -> None:
        await self._budget.take(size, is_small=self.held_bytes + size <= SMALL_BYTES)
        self.held_bytes += size

    def give_back(self, size: int) -> None:
        self.held_bytes -= size
        self._budget.give_back(size)

    def __enter__(self) -> "Lease":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.held_bytes:
            self.give_back(self.held_bytes)
