"""Expire reservations past their grace and lots past their expiry. The projector process repeats this."""

from uuid import UUID

from application.ports.clock import Clock
from application.ports.ledger import Ledger
from application.reads.due import DueReads
from domain.command_ids import step_id
from domain.credit.commands import ExpireLot, ExpireReservation
from domain.credit.decider import CREDIT
from domain.errors import DomainError

PAGE = 200
"""Reservations, or lots, per turn: after an outage, the backlog is processed in bounded steps."""

NOT_YET = frozenset({"reservation_not_due", "lot_not_due"})
"""The read model and the stream may differ for a moment; the next turn tries again."""


async def expire_due(ledger: Ledger, due: DueReads, clock: Clock) -> int:
    """Expire up to a page of each; returns the number of events recorded. Repeating it is harmless (P3)."""
    now = clock.now()
    reservations = await due.reservations(now, PAGE)
    lots = await due.lots(now, PAGE)
    expired = 0
    for account_id, reservation_id in reservations:
        command = ExpireReservation(at=now, reservation_id=reservation_id)
        expired += await _expire(ledger, account_id, command, UUID(reservation_id))
    for account_id, lot_id in lots:
        expired += await _expire(ledger, account_id, ExpireLot(at=now, lot_id=lot_id), UUID(lot_id))
    return expired


async def _expire(ledger: Ledger, account_id: str, command: ExpireReservation | ExpireLot, subject: UUID) -> int:
    correlation_id = subject if isinstance(command, ExpireReservation) else None
    try:
        recorded = await ledger.transact(
            CREDIT, account_id, command, command_id=step_id(subject, "expire"), correlation_id=correlation_id
        )
    except DomainError as refusal:
        if refusal.code not in NOT_YET:
            raise
        return 0
    return len(recorded.events)
