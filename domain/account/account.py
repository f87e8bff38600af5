"""Account, the aggregate: stream `account-<account id>`. Personal data arrives sealed and is never read here."""

from collections.abc import Sequence
from datetime import datetime
from typing import assert_never, get_args

import msgspec
from msgspec.structs import replace

from domain.account.events import AccountEvent, AccountState, Opened, StateChanged
from domain.account.retired import RETIRED
from domain.decider import Decider
from domain.errors import DomainError
from domain.event import GENESIS, Command, Event
from domain.lot_kind import LotKind

NEVER_SERVED: frozenset[AccountState] = frozenset({"suspended", "bot", "closed"})
PURCHASED_ONLY: frozenset[AccountState] = frozenset({"past_due", "inactive"})


class Open(Command, frozen=True, kw_only=True):
    account_id: str
    username: bytes
    email: bytes
    state: AccountState = "active"
    claims: bytes = b""
    commitment: bytes = b""


class ChangeState(Command, frozen=True, kw_only=True):
    state: AccountState
    reason: bytes = b""


AccountCommand = Open | ChangeState


class Account(msgspec.Struct, frozen=True):
    account_id: str = ""
    state: AccountState = "closed"
    changed_at: datetime = GENESIS

    @property
    def exists(self) -> bool:
        return bool(self.account_id)


def may_be_served(state: AccountState) -> bool:
    return state not in NEVER_SERVED


def burnable_kinds(state: AccountState) -> tuple[LotKind, ...] | None:
    """Lot kinds an account in `state` may spend; None is all of them (docs/reference/rules.md#accounts)."""
    return ("purchased",) if state in PURCHASED_ONLY else None


def decide(command: AccountCommand, state: Account) -> Sequence[Event]:
    """Refuses with a DomainError; () means nothing would change. Time never runs backwards."""
    at = max(command.at, state.changed_at)
    match command:
        case Open():
            if state.exists:
                raise DomainError("account_exists", account_id=state.account_id)
            return [
                Opened(
                    at=at,
                    account_id=command.account_id,
                    username=command.username,
                    email=command.email,
                    state=command.state,
                    claims=command.claims,
                    commitment=command.commitment,
                )
            ]
        case ChangeState():
            if not state.exists:
                raise DomainError("account_not_found")
            if command.state == state.state:
                return ()
            return [StateChanged(at=at, account_id=state.account_id, state=command.state, reason=command.reason)]
    assert_never(command)


def evolve(state: Account, event: Event) -> Account:
    match event:
        case Opened():
            return Account(event.account_id, event.state, event.at)
        case StateChanged():
            return replace(state, state=event.state, changed_at=event.at)
    raise TypeError(type(event))


ACCOUNT = Decider(
    name="account",
    has_account_streams=True,
    initial=Account(),
    decide=decide,
    evolve=evolve,
    events=(*get_args(AccountEvent), *RETIRED),
    state_type=Account,
    state_schema=1,
)
