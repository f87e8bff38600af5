"""Versions of credit events that are no longer written; recorded ones decode to the current version."""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

from domain import times
from domain.credit.events import Granted, Reserved, ShortfallRecorded
from domain.credit.lot import MAX_PRIORITY, Part
from domain.event import Event, Instant
from domain.lot_kind import LotKind
from domain.pricing.quote import Quote


class GrantedV1(Event, frozen=True, kw_only=True):
    """Its expiry and its priority were not checked against a range."""

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


class ReservedV1(Event, frozen=True, kw_only=True):
    """Had no `title` of its own: `app` was the application's title, in clear, or else its origin."""

    tag: ClassVar[str] = "credit.reserved.v1"
    reservation_id: str
    key_id: str
    amount_nusd: int
    holds: tuple[Part, ...]
    quote: Quote
    granted_tokens: int
    deadline_at: datetime
    expires_at: datetime
    requested_model: str
    model: str
    provider: str
    price_version: str
    streamed: bool = False
    is_limited: bool = False
    app: str = ""
    replaces: str = ""
    burnable: tuple[LotKind, ...] | None = None

    def upcast(self) -> Reserved:
        return Reserved(
            at=self.at,
            reservation_id=self.reservation_id,
            key_id=self.key_id,
            amount_nusd=self.amount_nusd,
            holds=self.holds,
            quote=self.quote,
            granted_tokens=self.granted_tokens,
            deadline_at=self.deadline_at,
            expires_at=self.expires_at,
            requested_model=self.requested_model,
            model=self.model,
            provider=self.provider,
            price_version=self.price_version,
            streamed=self.streamed,
            is_limited=self.is_limited,
            app=self.app,
            replaces=self.replaces,
            burnable=self.burnable,
        )


class ShortfallRecordedV1(Event, frozen=True, kw_only=True):
    """When it was written, shortfalls were not owed; that stays so."""

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


RETIRED: tuple[type[Event], ...] = (GrantedV1, ReservedV1, ShortfallRecordedV1)
