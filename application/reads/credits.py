"""Credit of accounts as the read models have it."""

from typing import Protocol

import msgspec


class Credits(msgspec.Struct, frozen=True, kw_only=True):
    """An account's credit as of `position`, its last credit event (0: none yet).

    available_nusd = posted - held; posted = granted - expired - settled.
    shortfall_nusd: served beyond all credit; owed_nusd: the part of it that the next purchased grant pays.
    unpaid_work_nusd: total that providers presumably charged and no customer paid.
    not_provable_beyond: position of an event that could not be projected; normally None.
    """

    account_id: str
    granted_nusd: int = 0
    settled_nusd: int = 0
    expired_nusd: int = 0
    posted_nusd: int = 0
    held_nusd: int = 0
    shortfall_nusd: int = 0
    owed_nusd: int = 0
    unpaid_work_nusd: int = 0
    open_reservations: int = 0
    position: int = 0
    not_provable_beyond: int | None = None

    @property
    def available_nusd(self) -> int:
        return self.posted_nusd - self.held_nusd

    @property
    def total_credits_nusd(self) -> int:
        """What /v1/credits calls total_credits: granted - expired - forfeited - clawed back
        (docs/reference/rules.md#credit)."""
        return self.granted_nusd - self.expired_nusd

    @property
    def total_usage_nusd(self) -> int:
        """What /v1/credits calls total_usage: settled + corrections."""
        return self.settled_nusd


class CreditReads(Protocol):
    async def of_account(self, account_id: str) -> Credits:
        """All zero for an account without credit events."""
        ...

    async def open_reservations(self) -> int:
        """How many there are over all accounts, for metrics."""
        ...
