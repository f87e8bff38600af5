"""Accounts as the read models have them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from domain.account.events import AccountState


class AccountRecord(msgspec.Struct, frozen=True):
    """`username` and `email` are sealed under the account's data key."""

    account_id: str
    state: AccountState
    username: bytes
    email: bytes
    opened_at: datetime
    position: int


class AccountReads(Protocol):
    async def find(self, account_id: str) -> AccountRecord | None: ...

    async def page(self, after: str, limit: int) -> Sequence[AccountRecord]:
        """Accounts after the account `after`, oldest first; an empty `after` begins at the first."""
        ...
