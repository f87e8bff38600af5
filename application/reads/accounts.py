"""Accounts as the read models have them."""

from datetime import datetime

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
