"""Versions of account events that are no longer written; recorded ones decode to the current version."""

from typing import ClassVar

from domain.account.events import AccountState, Opened
from domain.event import Event


class OpenedV1(Event, frozen=True, kw_only=True):
    """It has neither claims nor a commitment to the account's data key."""

    tag: ClassVar[str] = "account.opened.v1"
    account_id: str
    username: bytes
    email: bytes
    state: AccountState = "active"

    def upcast(self) -> Opened:
        return Opened(
            at=self.at, account_id=self.account_id, username=self.username, email=self.email, state=self.state
        )


RETIRED: tuple[type[Event], ...] = (OpenedV1,)
