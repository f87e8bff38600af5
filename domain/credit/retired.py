"""Versions of credit events that are no longer written. What the log has of them decodes to the current version."""

from collections.abc import Sequence
from typing import ClassVar

from domain import times
from domain.credit.events import Granted, ShortfallRecorded
from domain.credit.lot import MAX_PRIORITY, LotKind
from domain.event import Event, Instant


class GrantedV1(Event, frozen=True, kw_only=True):
    """Its expiry had no range, nor had its priority in the decision."""

    tag: ClassVar[str] = "credit.granted.v1"
    lot_id: str
    kind: LotKind
    priority: int
    amount_nusd: int
    expires_at: Instant | None = None
    source: str = ""
    reason: bytes = b""

    def upcast(self) -> Granted:
        return Granted(
            at=self.at,
            lot_id=self.lot_id,
            kind=self.kind,
            priority=min(max(self.priority, 0), MAX_PRIORITY),
            amount_nusd=self.amount_nusd,
            expires_at=None if self.expires_at is None else times.clamped(self.expires_at),
            source=self.source,
            reason=self.reason,
        )

    def clamped(self) -> Sequence[str]:
        inside = self.upcast()
        return [name for name in ("priority", "expires_at") if getattr(inside, name) != getattr(self, name)]


class ShortfallRecordedV1(Event, frozen=True, kw_only=True):
    """When it was written, a shortfall was owed by nobody; that stays so."""

    tag: ClassVar[str] = "credit.shortfall_recorded.v1"
    reservation_id: str
    key_id: str
    amount_nusd: int

    def upcast(self) -> ShortfallRecorded:
        return ShortfallRecorded(
            at=self.at,
            reservation_id=self.reservation_id,
            key_id=self.key_id,
            amount_nusd=self.amount_nusd,
            cause="absorbed",
            owed_nusd=0,
        )


RETIRED: tuple[type[Event], ...] = (GrantedV1, ShortfallRecordedV1)
