"""What one account may have under way at a time."""

from types import TracebackType

from domain.errors import DomainError


class AccountShares:
    """limit: generations of one account in this process, from its key to its last byte; 0 is none."""

    def __init__(self, limit: int = 0) -> None:
        self._limit = limit
        self._under_way: dict[str, int] = {}

    def generation(self, account_id: str) -> "_Generation":
        """To be entered at once. Raises: DomainError concurrency_limit, before anything is read or reserved."""
        before = self._under_way.get(account_id, 0)
        if self._limit and before >= self._limit:
            raise DomainError("concurrency_limit", limit=self._limit)
        return _Generation(self._under_way, account_id)


class _Generation:
    """One of an account's places."""

    __slots__ = ("_account_id", "_under_way")

    def __init__(self, under_way: dict[str, int], account_id: str) -> None:
        self._under_way = under_way
        self._account_id = account_id

    def __enter__(self) -> None:
        self._under_way[self._account_id] = self._under_way.get(self._account_id, 0) + 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        left = self._under_way[self._account_id] - 1
        if left:
            self._under_way[self._account_id] = left
        else:
            del self._under_way[self._account_id]
