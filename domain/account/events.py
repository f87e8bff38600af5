"""What has happened to an account. Personal data is sealed under its data key."""

from typing import ClassVar, Literal

from domain.event import Event

AccountState = Literal["trial", "active", "inactive", "past_due", "suspended", "bot", "closed"]


class Opened(Event, frozen=True, kw_only=True):
    """`username` and `email` are sealed under the account's data key; uniqueness is claimed by keyed hash.

    claims:      the command's claims as domain.claim encodes them, sealed as well; empty in events of version 1.
    commitment:  to the account's data key (domain.proof.commitment); empty in events of version 1.
    """

    tag: ClassVar[str] = "account.opened.v2"
    account_id: str
    username: bytes
    email: bytes
    state: AccountState = "active"
    claims: bytes = b""
    commitment: bytes = b""


class StateChanged(Event, frozen=True, kw_only=True):
    tag: ClassVar[str] = "account.state_changed.v1"
    account_id: str
    state: AccountState
    reason: bytes = b""


AccountEvent = Opened | StateChanged
