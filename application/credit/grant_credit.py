"""Grant credit to an account, as one lot."""

from datetime import datetime
from typing import Annotated

import msgspec

from application.sealed import Reason, Sealed
from application.write import Asked, Input, Ports, UsdText, write_to_account
from domain.command_ids import named_id, step_id
from domain.credit.commands import Grant
from domain.credit.decider import CREDIT
from domain.lot_kind import LotKind
from domain.money import parse_usd


class GrantCredit(Input, frozen=True, kw_only=True):
    """amount_usd: a decimal string. priority: lots with a lower one burn first; None: the priority of `kind`."""

    amount_usd: UsdText
    kind: LotKind
    reason: Sealed[Reason]
    expires_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    priority: int | None = None


class GrantedLot(msgspec.Struct, frozen=True):
    """The new lot, and the credit available now."""

    lot_id: str
    position: int
    available_nusd: int


async def grant_credit(ports: Ports, account_id: str, wanted: GrantCredit, asked: Asked) -> GrantedLot:
    """Grant one lot; its source is the actor of `asked`.

    Raises: DomainError account_not_found, invalid_request, invalid_amount, invalid_expiry, too_many_lots.
    """
    amount_nusd = parse_usd(wanted.amount_usd)
    lot = asked.name or ports.ids.new()
    now = ports.clock.now()
    recorded = await write_to_account(
        ports,
        CREDIT,
        account_id,
        lambda sealed: Grant(
            at=now,
            lot_id=str(lot),
            kind=wanted.kind,
            amount_nusd=amount_nusd,
            priority=wanted.priority,
            expires_at=wanted.expires_at,
            source=asked.by,
            reason=sealed["reason"],
        ),
        wanted=wanted,
        asked=asked,
        command_id=step_id(lot, "grant"),
        former_hash=_former_hash(wanted, asked),
    )
    credit = await ports.ledger.state_of(CREDIT, account_id)
    return GrantedLot(str(lot), recorded.position, credit.available_nusd(now))


def _former_hash(wanted: GrantCredit, asked: Asked) -> bytes:
    words = (str(parse_usd(wanted.amount_usd)), str(wanted.priority), str(wanted.expires_at), asked.by)
    return named_id(wanted.kind, *words, wanted.reason.clear).bytes
