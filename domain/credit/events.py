"""What has happened to an account's credit. Tags never change; a new shape is a new version with an upcaster."""

from datetime import datetime
from typing import ClassVar, Literal

import msgspec

from domain.credit.lot import Part
from domain.event import Event, Instant
from domain.lot_kind import LotKind
from domain.pricing.quote import Quote
from domain.pricing.rate import Charge
from domain.pricing.usage import Unit


class Attempt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One call to a provider that did not answer. `status` is its HTTP status, 0 if it sent none."""

    provider: str
    error_class: str
    status: int = 0
    duration_ms: int = 0


class Generation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was produced: everything that a read model shows of an answer except money. Never prompt or answer text.

    usage:            billed counts per unit, disjoint.
    provider_cost_nusd: what the provider bills us; stored as `cost_nusd`.
    ttft_ms:          time to first token, from our receipt of the request; total_ms until its end.
    estimated:        the provider sent no (credible) usage; counts are our own estimate, capped by the reservation.
    quarantined:      the provider's usage was impossible and was set aside.
    """

    provider: str
    model: str
    usage: dict[Unit, int]
    provider_cost_nusd: int = msgspec.field(default=0, name="cost_nusd")
    provider_generation_id: str = ""
    finish_reason: str = ""
    ttft_ms: int = 0
    total_ms: int = 0
    streamed: bool = False
    estimated: bool = False
    quarantined: bool = False
    cancelled: bool = False
    error_class: str = ""


class Granted(Event, frozen=True, kw_only=True):
    """A lot was created. `reason` is sealed under the account's data key."""

    tag: ClassVar[str] = "credit.granted.v2"
    lot_id: str
    kind: LotKind
    priority: int
    amount_nusd: int
    expires_at: Instant | None = None
    source: str = ""
    reason: bytes = b""


class Reserved(Event, frozen=True, kw_only=True):
    """The worst case of a request is held on named lots.

    quote:                 source of the amount: the quote at `granted_tokens`, rounded up.
    is_limited:            the key had a spending limit, so its windows count this.
    replaces:              the expired reservation that a late settle replaced by this one.
    burnable:              lot kinds it may spend, also for an excess at its settle; None is all.
    app:                   the application's origin (version 1 may have had its title here instead, in clear).
    title:                 the name the application gives itself, sealed under the account's data key.
    """

    tag: ClassVar[str] = "credit.reserved.v2"
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
    title: bytes = b""
    replaces: str = ""
    burnable: tuple[LotKind, ...] | None = None


class ReservationExtended(Event, frozen=True, kw_only=True):
    """A more expensive fallback needed more: `holds` are added to the reservation."""

    tag: ClassVar[str] = "credit.reservation_extended.v1"
    reservation_id: str
    key_id: str
    added_nusd: int
    holds: tuple[Part, ...]


class AttemptRecorded(Event, frozen=True, kw_only=True):
    """A provider failed before the answer began; the next one is tried under the same reservation."""

    tag: ClassVar[str] = "credit.attempt_recorded.v1"
    reservation_id: str
    key_id: str
    attempt: Attempt


class Settled(Event, frozen=True, kw_only=True):
    """The actual cost was burnt from the holds (any excess from available credit); the rest is free again.

    burnt:        the parts of lots that were taken; their sum is `usage.cost`.
    reserved_nusd: what the reservation held; `reserved_at` decides the window it counts in.
    """

    tag: ClassVar[str] = "credit.settled.v1"
    reservation_id: str
    key_id: str
    reserved_at: datetime
    reserved_nusd: int
    burnt: tuple[Part, ...]
    charge: Charge
    generation: Generation
    requested_model: str
    app: str = ""

    @property
    def paid_nusd(self) -> int:
        """Paid by the customer: the sum taken from lots."""
        return sum(part.amount_nusd for part in self.burnt)

    @property
    def shortfall_nusd(self) -> int:
        return self.charge.total_nusd - self.paid_nusd


class ShortfallRecorded(Event, frozen=True, kw_only=True):
    """The provider reported more than the reservation and all available credit: the account owes the rest.

    cause:     "overage"; "absorbed" in events of version 1, which are never charged.
    owed_nusd: what the account owes after this event.
    """

    tag: ClassVar[str] = "credit.shortfall_recorded.v2"
    reservation_id: str
    key_id: str
    amount_nusd: int
    cause: Literal["overage", "absorbed"]
    owed_nusd: int

    @property
    def is_owed(self) -> bool:
        return self.cause != "absorbed"


class ShortfallPaid(Event, frozen=True, kw_only=True):
    """What the account owed was taken from the purchased lot that was granted in the same decision.

    burnt:     the parts of lots that paid.
    owed_nusd: what the account still owes.
    """

    tag: ClassVar[str] = "credit.shortfall_paid.v1"
    burnt: tuple[Part, ...]
    owed_nusd: int

    @property
    def amount_nusd(self) -> int:
        return sum(part.amount_nusd for part in self.burnt)


class Released(Event, frozen=True, kw_only=True):
    """Nothing billable was produced: everything held is free again."""

    tag: ClassVar[str] = "credit.released.v1"
    reservation_id: str
    key_id: str
    reserved_at: datetime
    reserved_nusd: int
    reason: str
    attempt: Attempt | None = None


UnpaidCause = Literal["abandoned", "timed_out"]
"""abandoned: the client left a stream in silence; timed_out: no answer came before the request's deadline."""


class WorkUnpaid(Event, frozen=True, kw_only=True):
    """Work of a provider was not paid. It directly follows the end of its reservation, in the same decision.

    presumed_nusd: what the provider presumably charges beyond what was settled; both together at most the reservation.
    """

    tag: ClassVar[str] = "credit.work_unpaid.v1"
    reservation_id: str
    presumed_nusd: int
    cause: UnpaidCause


class ReservationExpired(Event, frozen=True, kw_only=True, omit_defaults=False):
    """Not settled or released in time: charges nothing, frees the holds, listed as unreconciled provider cost.

    Defaults are stored too, so that the log itself names the rule.
    """

    tag: ClassVar[str] = "credit.reservation_expired.v1"
    reservation_id: str
    key_id: str
    reserved_at: datetime
    reserved_nusd: int
    provider: str
    model: str
    rule: Literal["expire-release-v1"] = "expire-release-v1"


class LotExpired(Event, frozen=True, kw_only=True):
    """The unheld part of a lot past its expiry is gone; parts freed on it later get an event of their own."""

    tag: ClassVar[str] = "credit.lot_expired.v1"
    lot_id: str
    kind: LotKind
    amount_nusd: int


CreditEvent = (
    Granted
    | Reserved
    | ReservationExtended
    | AttemptRecorded
    | Settled
    | ShortfallRecorded
    | ShortfallPaid
    | Released
    | WorkUnpaid
    | ReservationExpired
    | LotExpired
)
