"""Requests as the read models have them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, Protocol

import msgspec

from domain.credit.events import Attempt
from domain.credit.lot import Part
from domain.pricing.rate import ChargeLine
from domain.pricing.usage import Unit

GenerationStatus = Literal["reserved", "settled", "released", "expired"]


class GenerationRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A request from reserve to end. Fields that a settle sets are empty or zero before it and without one.

    reservation_id:  `gen-<this>` is the id that customers know, unless a late settle made the record: see `replaces`.
    replaces:        the expired reservation that this one replaces.
    paid_nusd:       taken from lots (`burnt`), `cost_nusd` in JSON; charge = paid + shortfall. provider_cost_nusd is
                     what the provider bills us.
    app, title:      the application's origin, and its own title, sealed.
    usage:           billed counts per unit, disjoint; lines: quantity and price of each.
    ttft_ms:         time to first token, total_ms until the end, from our receipt of the request.
    """

    reservation_id: str
    account_id: str
    key_id: str
    status: GenerationStatus
    reserve_position: int
    end_position: int | None
    reserved_at: datetime
    ended_at: datetime | None
    requested_model: str
    model: str
    provider: str
    app: str
    title: bytes
    replaces: str
    streamed: bool
    granted_tokens: int
    requested_tokens: int
    deadline_at: datetime
    expires_at: datetime
    holds: tuple[Part, ...]
    reserved_nusd: int
    paid_nusd: int = msgspec.field(name="cost_nusd")
    shortfall_nusd: int
    charge_nusd: int
    provider_cost_nusd: int
    price_version: str
    rounding: str
    burnt: tuple[Part, ...]
    lines: tuple[ChargeLine, ...]
    usage: Mapping[Unit, int]
    reason: str
    provider_generation_id: str
    finish_reason: str
    error_class: str
    ttft_ms: int
    total_ms: int
    estimated: bool
    quarantined: bool
    cancelled: bool
    attempts: tuple[Attempt, ...] = ()

    @property
    def position(self) -> int:
        """Position of its last event."""
        return self.end_position or self.reserve_position


class GenerationReads(Protocol):
    async def find(self, account_id: str, generation_id: str) -> GenerationRecord | None:
        """By `gen-<reservation>` or `<reservation>`; a late settle is found by the id that the customer was given."""
        ...
