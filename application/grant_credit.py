"""Grant credit to an account: one lot."""

from datetime import datetime
from uuid import UUID

import msgspec

from application.check_reason import check_reason
from application.command_ids import named_id, step_id
from application.ports.clock import Clock
from application.ports.ids import Ids
from application.ports.ledger import Ledger
from application.ports.personal_data import PersonalData
from domain.account.account import ACCOUNT
from domain.credit.commands import Grant
from domain.credit.decider import CREDIT
from domain.errors import DomainError
from domain.lot_kind import LotKind


class Granted(msgspec.Struct, frozen=True):
    """The new lot, and what the account can spend now."""

    lot_id: str
    position: int
    available_nusd: int


class GrantCredit:
    def __init__(self, ledger: Ledger, personal_data: PersonalData, clock: Clock, ids: Ids) -> None:
        self._ledger = ledger
        self._personal_data = personal_data
        self._clock = clock
        self._ids = ids

    async def __call__(
        self,
        account_id: str,
        amount_nusd: int,
        kind: LotKind,
        reason: str,
        *,
        actor: str,
        expires_at: datetime | None = None,
        priority: int | None = None,
        grant: UUID | None = None,
    ) -> Granted:
        """Grant `amount_nusd`; `actor` ("admin", "operator") is kept as the lot's source, `reason` sealed.

        grant:  names this grant for ever; a repeated call with the same id and input grants nothing more.
        Raises: DomainError account_not_found, invalid_request, invalid_amount, invalid_expiry, too_many_lots.
        """
        check_reason(reason)
        if not (await self._ledger.state_of(ACCOUNT, account_id)).exists:
            raise DomainError("account_not_found", account_id=account_id)
        grant = grant or self._ids.new()
        now = self._clock.now()
        recorded = await self._ledger.transact(
            CREDIT,
            account_id,
            Grant(
                at=now,
                lot_id=str(grant),
                kind=kind,
                amount_nusd=amount_nusd,
                priority=priority,
                expires_at=expires_at,
                source=actor,
                reason=await self._personal_data.seal(account_id, reason.encode()),
            ),
            command_id=step_id(grant, "grant"),
            input_hash=named_id(kind, str(amount_nusd), str(priority), str(expires_at), actor, reason).bytes,
        )
        credit = await self._ledger.state_of(CREDIT, account_id)
        return Granted(str(grant), recorded.position, credit.available_nusd(now))
