"""Commands of an account's credit. Each carries the time, ids, prices and limits that its decision needs."""

from datetime import datetime

import msgspec

from domain.command_ids import named_id
from domain.credit.events import Attempt, Generation, UnpaidCause
from domain.credit.unpaid import UnpaidLimit
from domain.event import Command
from domain.lot_kind import LotKind
from domain.pricing.quote import Quote
from domain.pricing.rate import Charge
from domain.window import KeyLimit


class Grant(Command, frozen=True, kw_only=True):
    """Add a lot. `priority` None means the kind's own (docs/reference/rules.md#lots-and-burn-order)."""

    lot_id: str
    kind: LotKind
    amount_nusd: int
    priority: int | None = None
    expires_at: datetime | None = None
    source: str = ""
    reason: bytes = b""


class Reserve(Command, frozen=True, kw_only=True):
    """Hold the worst case of a request, clamped to what is affordable.

    key_limit:  the key's spending limit, if it has one.
    burnable:   lot kinds this account may spend (past_due and inactive accounts burn purchased lots only); None is all.
    unpaid_limit: how much unpaid work the account may have left in 30 days; None is any.
    app:        the application's origin; `title` is the name it gives itself, sealed.
    """

    reservation_id: str
    key_id: str
    quote: Quote
    deadline_at: datetime
    expires_at: datetime
    requested_model: str
    model: str
    provider: str
    price_version: str
    streamed: bool = False
    key_limit: KeyLimit | None = None
    burnable: tuple[LotKind, ...] | None = None
    unpaid_limit: UnpaidLimit | None = None
    app: str = ""
    title: bytes = b""


class RecordAttempt(Command, frozen=True, kw_only=True):
    """Record that a provider failed, before the next one is called."""

    reservation_id: str
    attempt: Attempt


class ExtendReservation(Command, frozen=True, kw_only=True):
    """Raise a reservation to `amount_nusd` for a more expensive fallback; refused as a whole if not affordable."""

    reservation_id: str
    amount_nusd: int
    key_limit: KeyLimit | None = None
    burnable: tuple[LotKind, ...] | None = None


class Unpaid(msgspec.Struct, frozen=True):
    """What a provider presumably charges beyond what is settled; no more is recorded than the reservation leaves."""

    presumed_nusd: int
    cause: UnpaidCause


class Settle(Command, frozen=True, kw_only=True):
    """Charge the actual cost. If the reservation has expired, `late` reserves the charge under a new id (P1).

    late:   the Reserve that held it: it is repeated as of then, under `late_id`, with the charge as its quote.
    unpaid: work of the provider beyond the charge.
    """

    reservation_id: str
    charge: Charge
    generation: Generation
    late: Reserve | None = None
    unpaid: Unpaid | None = None


def late_id(reservation_id: str) -> str:
    """The reservation of a late settle, which replaces the expired `reservation_id`."""
    return str(named_id("late", reservation_id))


class Release(Command, frozen=True, kw_only=True):
    """End a reservation without a charge. `reason` is a code, never text from outside.

    unpaid: work that the provider did nevertheless.
    """

    reservation_id: str
    reason: str
    attempt: Attempt | None = None
    unpaid: Unpaid | None = None


class ExpireReservation(Command, frozen=True, kw_only=True):
    reservation_id: str


class ExpireLot(Command, frozen=True, kw_only=True):
    lot_id: str


CreditCommand = Grant | Reserve | RecordAttempt | ExtendReservation | Settle | Release | ExpireReservation | ExpireLot
