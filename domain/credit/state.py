"""The state of an account's credit: live lots, open reservations, windows of limited keys. Small, never history."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from domain.credit.lot import Lot, Part
from domain.credit.unpaid import DailySums
from domain.event import GENESIS
from domain.lot_kind import LotKind
from domain.window import KeySpend

EXPIRED_MEMORY_S = 86_400
"""How long an expired reservation is remembered, to distinguish a late settle from a wrong one. A stream may last an
hour, and a stopped process may be continued later; a day is far beyond both."""


class Reservation(msgspec.Struct, frozen=True):
    """An open reservation: its holds, and the fields that its end must repeat for the read models."""

    amount_nusd: int
    holds: tuple[Part, ...]
    key_id: str
    reserved_at: datetime
    expires_at: datetime
    model: str
    requested_model: str
    provider: str
    is_limited: bool
    app: str = ""
    burnable: tuple[LotKind, ...] | None = None


class CreditBalance(msgspec.Struct, frozen=True):
    """State of one credit stream. Dicts are values: evolve copies them and never changes one.

    lots:         in burn order.
    expired:      reservations that expired within EXPIRED_MEMORY_S and were not settled late, and when.
    posted_nusd:  sum over lots of what remains; held_nusd: sum of what open reservations hold.
    owed_nusd:    shortfalls that no purchased lot has paid yet.
    unpaid:       daily sums of unpaid work; settled: of what lots paid for answers.
    """

    at: datetime = GENESIS
    lots: dict[str, Lot] = {}
    reservations: dict[str, Reservation] = {}
    key_spend: dict[str, KeySpend] = {}
    expired: dict[str, datetime] = {}
    grants: int = 0
    posted_nusd: int = 0
    held_nusd: int = 0
    owed_nusd: int = 0
    unpaid: DailySums = ()
    settled: DailySums = ()

    def available_nusd(self, now: datetime, burnable: tuple[LotKind, ...] | None = None) -> int:
        """Lots - reservations, without lots past their expiry (and only of `burnable` kinds): never below zero (P2)."""
        return sum(lot.spendable_nusd(now) for lot in self.spendable(burnable))

    def spendable(self, burnable: tuple[LotKind, ...] | None) -> Iterable[Lot]:
        """Lots of `burnable` kinds in burn order, one by one: most reservations need only the first."""
        return self.lots.values() if burnable is None else (lot for lot in self.lots.values() if lot.kind in burnable)

    def may_settle_late(self, reservation_id: str, now: datetime) -> bool:
        """Whether this reservation expired at most EXPIRED_MEMORY_S ago and was not settled late yet."""
        expired_at = self.expired.get(reservation_id)
        return expired_at is not None and now - expired_at <= timedelta(seconds=EXPIRED_MEMORY_S)
