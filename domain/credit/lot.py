"""A lot is one grant of credit and what is left of it; lots burn in a fixed order
(docs/reference/rules.md#lots-and-burn-order)."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Literal

import msgspec

from domain.lot_kind import LotKind

MAX_LIVE_LOTS = 1_000
"""Bounds an account's state and the work of one reserve."""

MAX_PRIORITY = 1_000
"""Of a lot; lower burns first. Far more steps than are needed."""

NEVER = datetime.max.replace(tzinfo=UTC)


class Part(msgspec.Struct, frozen=True, array_like=True):
    """An amount on a named lot. Holds, burns and frees are tuples of these, in burn order."""

    lot_id: str
    amount_nusd: int


class Lot(msgspec.Struct, frozen=True):
    """What is left of a grant.

    remaining_nusd: posted and not yet burnt, held part included.
    held_nusd:      promised to open reservations; never above `remaining_nusd`.
    sequence:       order of grants in this stream, the last tie-breaker of the burn order.
    taken_back:     why its unheld part is gone; parts freed later lapse too.
    """

    lot_id: str
    kind: LotKind
    priority: int
    sequence: int
    remaining_nusd: int
    held_nusd: int = 0
    expires_at: datetime | None = None
    taken_back: Literal["expired"] | None = None

    @property
    def unheld_nusd(self) -> int:
        return self.remaining_nusd - self.held_nusd

    @property
    def burn_key(self) -> tuple[int, datetime, int]:
        return self.priority, self.expires_at or NEVER, self.sequence

    def is_expired_at(self, now: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= now

    def spendable_nusd(self, now: datetime) -> int:
        """nUSD that a new reservation may hold; 0 once the lot is past its expiry, even before its event."""
        if self.taken_back or (self.expires_at is not None and self.expires_at <= now):
            return 0  # is_expired_at and unheld_nusd are inlined: a reserve may visit a thousand lots
        return self.remaining_nusd - self.held_nusd


def in_burn_order(lots: Iterable[Lot]) -> dict[str, Lot]:
    return {lot.lot_id: lot for lot in sorted(lots, key=lambda lot: lot.burn_key)}


def take(lots: Iterable[Lot], amount_nusd: int, now: datetime) -> tuple[Part, ...]:
    """Pick up to `amount_nusd` from lots already in burn order; falls short only when all are used up."""
    parts: list[Part] = []
    for lot in lots:
        if amount_nusd == 0:
            break
        spendable_nusd = lot.spendable_nusd(now)
        if spendable_nusd:
            part = min(amount_nusd, spendable_nusd)
            parts.append(Part(lot.lot_id, part))
            amount_nusd -= part
    return tuple(parts)


def split(parts: Iterable[Part], amount_nusd: int) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    """Divide held `parts`, in order, into the first `amount_nusd` (burnt) and the rest (freed)."""
    burnt: list[Part] = []
    freed: list[Part] = []
    for part in parts:
        burn = min(amount_nusd, part.amount_nusd)
        amount_nusd -= burn
        if burn:
            burnt.append(Part(part.lot_id, burn))
        if part.amount_nusd > burn:
            freed.append(Part(part.lot_id, part.amount_nusd - burn))
    return tuple(burnt), tuple(freed)


def total(parts: Iterable[Part]) -> int:
    return sum(part.amount_nusd for part in parts)


def merged(lots: Mapping[str, Lot], *groups: Iterable[Part]) -> tuple[Part, ...]:
    """Add parts up per lot, in the burn order of `lots`."""
    amounts: dict[str, int] = {}
    for group in groups:
        for part in group:
            amounts[part.lot_id] = amounts.get(part.lot_id, 0) + part.amount_nusd
    return tuple(Part(lot_id, amounts[lot_id]) for lot_id in sorted(amounts, key=lambda lot_id: lots[lot_id].burn_key))
