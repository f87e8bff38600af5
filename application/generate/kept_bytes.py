"""How much of the answer store one account may fill: answers beyond it are charged and served, but not kept."""

from datetime import datetime

MAX_ACCOUNTS = 10_000
"""Accounts counted at a time; beyond it, the account that was added first is forgotten."""

STEP_S = 3_600
"""Kept bytes are counted by the hour in which they expire: at most 25 numbers per account."""


class KeptBytes:
    """limit_bytes: of one account's kept answers, counted in this process; 0 means no limit."""

    def __init__(self, limit_bytes: int = 0) -> None:
        self._limit_bytes = limit_bytes
        self._ending: dict[str, dict[int, int]] = {}  # account -> hour of expiry -> bytes

    def takes(self, account_id: str, size_bytes: int, now: datetime, until: datetime) -> bool:
        """Whether an answer may be kept until `until`; if so, it is counted."""
        if not self._limit_bytes:
            return True
        hours = self._ending.setdefault(account_id, {})
        for hour in [hour for hour in hours if hour < _hour(now)]:
            del hours[hour]
        if sum(hours.values()) + size_bytes > self._limit_bytes:
            return False
        hours[_hour(until)] = hours.get(_hour(until), 0) + size_bytes
        if len(self._ending) > MAX_ACCOUNTS:
            del self._ending[next(iter(self._ending))]
        return True


def _hour(moment: datetime) -> int:
    return int(moment.timestamp()) // STEP_S
