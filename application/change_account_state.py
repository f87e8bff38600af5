"""Change what an account may do: suspend it, mark it past due, reinstate it, close it."""

from uuid import UUID

import msgspec

from application.check_reason import check_reason
from application.command_ids import named_id, step_id
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.ledger import Ledger
from application.ports.personal_data import PersonalData
from domain.account.account import ACCOUNT, ChangeState
from domain.account.events import AccountState
from domain.errors import DomainError


class ChangedState(msgspec.Struct, frozen=True):
    """`position` is that of the change; 0 if the account was in that state already."""

    account_id: str
    state: AccountState
    position: int


class ChangeAccountState:
    def __init__(self, ledger: Ledger, personal_data: PersonalData, clock: Clock, ids: Ids) -> None:
        self._ledger = ledger
        self._personal_data = personal_data
        self._clock = clock
        self._ids = ids

    async def __call__(
        self, account_id: str, state: AccountState, reason: str, *, change: UUID | None = None
    ) -> ChangedState:
        """Effective on every process within a second, as a revoked key is; requests under way end as usual.

        reason: sealed under the account's data key.
        change: names this change for ever; a repeated call with the same id and input changes nothing more.
        Raises: DomainError account_not_found, invalid_request.
        """
        check_reason(reason)
        if not (await self._ledger.state_of(ACCOUNT, account_id)).exists:
            raise DomainError("account_not_found", account_id=account_id)
        recorded = await self._ledger.transact(
            ACCOUNT,
            account_id,
            ChangeState(
                at=self._clock.now(),
                state=state,
                reason=await self._personal_data.seal(account_id, reason.encode()),
            ),
            command_id=step_id(change or self._ids.new(), "state"),
            input_hash=named_id(state, reason).bytes,
        )
        return ChangedState(account_id, state, recorded.position)
