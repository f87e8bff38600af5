"""How many generations an account may have under way, and how many keys it may make in an hour."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType

from domain.errors import DomainError

HOUR_S = 3_600.0

MAX_ACCOUNTS = 10_000
"""Accounts with new keys that are remembered; beyond it, the account that was added first is forgotten."""


class AccountShares:
    """Limits per account in this process; 0 means no limit.

    limit:          generations at a time, each from its key to its last byte.
    keys_per_hour:  secrets that the account makes, by issuing and by rotating: each stays in the ledger for ever.
    """

    def __init__(self, limit: int = 0, keys_per_hour: int = 0, now_s: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._keys_per_hour = keys_per_hour
        self._now_s = now_s
        self._under_way: dict[str, int] = {}
        self._made_s: dict[str, deque[float]] = {}  # account -> when each key of the last hour was begun

    def generation(self, account_id: str) -> "_Generation":
        """Enter it at once. Raises: DomainError concurrency_limit, before anything is read or reserved."""
        before = self._under_way.get(account_id, 0)
        if self._limit and before >= self._limit:
            raise DomainError("concurrency_limit", limit=self._limit)
        return _Generation(self._under_way, account_id)

    @contextmanager
    def new_key(self, account_id: str) -> Iterator[None]:
        """A key that is refused later does not count. Raises: DomainError too_many_new_keys, before one is made."""
        if not self._keys_per_hour:
            yield
            return
        began_s = self._now_s()
        made = self._made_in_the_last_hour(account_id)
        if len(made) >= self._keys_per_hour:
            left_s = HOUR_S - (began_s - made[0])
            raise DomainError("too_many_new_keys", limit=self._keys_per_hour, retry_after_s=max(1, round(left_s)))
        made.append(began_s)
        try:
            yield
        except DomainError:
            made.remove(began_s)
            raise

    def _made_in_the_last_hour(self, account_id: str) -> deque[float]:
        made = self._made_s.setdefault(account_id, deque())
        while made and self._now_s() - made[0] >= HOUR_S:
            made.popleft()
        if len(self._made_s) > MAX_ACCOUNTS:
            del self._made_s[next(iter(self._made_s))]
        return made


class _Generation:
    """One generation of an account."""

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
