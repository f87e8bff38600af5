"""Change the state of an account: suspend it, mark it past due, reinstate it, close it."""

import msgspec

from application.sealed import Reason, Sealed
from application.write import Asked, Input, Ports, write_to_account
from domain.account.account import ACCOUNT, ChangeState
from domain.account.events import AccountState
from domain.command_ids import named_id, step_id


class ChangeAccountState(Input, frozen=True, kw_only=True):
    state: AccountState
    reason: Sealed[Reason]


class ChangedAccountState(msgspec.Struct, frozen=True):
    """position: of the event; 0 if the account was already in that state."""

    account_id: str
    state: AccountState
    position: int


async def change_account_state(
    ports: Ports, account_id: str, wanted: ChangeAccountState, asked: Asked
) -> ChangedAccountState:
    """Takes effect on every process within a second, as for a revoked key; running requests end as usual.

    Raises: DomainError account_not_found, invalid_request.
    """
    now = ports.clock.now()
    recorded = await write_to_account(
        ports,
        ACCOUNT,
        account_id,
        lambda sealed: ChangeState(at=now, state=wanted.state, reason=sealed["reason"]),
        wanted=wanted,
        asked=asked,
        command_id=step_id(asked.name or ports.ids.new(), "state"),
        former_hash=named_id(wanted.state, wanted.reason.clear).bytes,
    )
    return ChangedAccountState(account_id, wanted.state, recorded.position)
