"""What one account may have under way at a time."""

from collections.abc import Iterator
from contextlib import contextmanager

from domain.errors import DomainError


class AccountShares:
    """limit: generations of one account in this process, from its key to its last byte; 0 is none."""

    def __init__(self, limit: int = 0) -> None:
        self._limit = limit
        self._under_way: dict[str, int] = {}

    @contextmanager
    def generation(self, account_id: str) -> Iterator[None]:
        """Raises: DomainError concurrency_limit, before anything is read or reserved."""
        before = self._under_way.get(account_id, 0)
        if self._limit and before >= self._limit:
            raise DomainError("concurrency_limit", limit=self._limit)
        self._under_way[account_id] = before + 1
        try:
            yield
        finally:
            left = self._under_way[account_id] - 1
            if left:
                self._under_way[account_id] = left
            else:
                del self._under_way[account_id]
