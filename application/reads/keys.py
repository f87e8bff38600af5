"""API keys as the read models have them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from domain.account.events import AccountState
from domain.api_key.api_key import ApiKey
from domain.window import Window


class FoundKey(msgspec.Struct, frozen=True):
    """A key found by its secret. `position` is the read model's, not that of the key's last event."""

    key: ApiKey
    account_state: AccountState
    position: int


class KeySpending(msgspec.Struct, frozen=True):
    """A key's settled charges, in total and in the current day, week and month (UTC); a charge counts on the day of its
    reserve."""

    total_nusd: int = 0
    daily_nusd: int = 0
    weekly_nusd: int = 0
    monthly_nusd: int = 0
    requests: int = 0

    def within(self, window: Window) -> int:
        return {
            "daily": self.daily_nusd,
            "weekly": self.weekly_nusd,
            "monthly": self.monthly_nusd,
            "total": self.total_nusd,
        }[window]


class KeyRecord(msgspec.Struct, frozen=True):
    """A key and its spending. `position` is that of the key's last event."""

    key: ApiKey
    spending: KeySpending
    position: int


class KeyReads(Protocol):
    """`now` selects the day, week and month of the spending."""

    async def with_secret(self, secret_hash: bytes) -> FoundKey | None:
        """The key that this secret was ever issued for; `ApiKey.refusal` decides whether the secret is still valid."""
        ...

    async def find(self, account_id: str, key_id: str, now: datetime) -> KeyRecord | None:
        """One key of the account, revoked ones included."""
        ...

    async def of_account(self, account_id: str, now: datetime) -> Sequence[KeyRecord]:
        """The account's keys that are not revoked, oldest first."""
        ...
