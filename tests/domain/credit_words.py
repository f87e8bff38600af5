"""Short words for the credit tests. Money is small: an output token costs 1 nUSD, so lots of 100 are easy to follow."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from domain.credit import commands as c
from domain.credit.events import Attempt, Generation, UnpaidCause
from domain.credit.lot import Part
from domain.credit.state import CreditBalance
from domain.lot_kind import LotKind
from domain.money import FUSD_PER_NUSD, Nusd
from domain.pricing.quote import Quote
from domain.pricing.rate import Charge
from domain.window import KeyLimit, Window, spent

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
"""A Wednesday, in the middle of its day, week and month."""

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


def grant(lot_id: str, amount_nusd: int, kind: LotKind = "purchased", *, at: datetime = NOW, **more: Any) -> c.Grant:
    return c.Grant(at=at, lot_id=lot_id, kind=kind, amount_nusd=amount_nusd, **more)


def tokens(count: int, *, fixed_nusd: int = 0, choices: int = 1) -> Quote:
    """A quote of 1 nUSD per output token and choice."""
    return Quote(fixed_nusd * FUSD_PER_NUSD, choices * FUSD_PER_NUSD, count)


def exactly(amount_nusd: int) -> Quote:
    """A quote with nothing to clamp, as of a model priced per request."""
    return Quote(amount_nusd * FUSD_PER_NUSD, 0, 0)


def reserve(reservation_id: str, quote: Quote, *, at: datetime = NOW, key_id: str = "key", **more: Any) -> c.Reserve:
    times = {"deadline_at": at + timedelta(seconds=600), "expires_at": at + timedelta(seconds=1500)}
    return c.Reserve(
        at=at,
        reservation_id=reservation_id,
        key_id=key_id,
        quote=quote,
        requested_model="auto",
        model="acme/m",
        provider="acme",
        price_version="v1",
        **{**times, **more},
    )


def hold(reservation_id: str, amount_nusd: int, **more: Any) -> c.Reserve:
    return reserve(reservation_id, exactly(amount_nusd), **more)


def extend(reservation_id: str, amount_nusd: int, *, at: datetime = NOW, **more: Any) -> c.ExtendReservation:
    return c.ExtendReservation(at=at, reservation_id=reservation_id, amount_nusd=amount_nusd, **more)


def settle(
    reservation_id: str,
    charge_nusd: int,
    *,
    at: datetime = NOW,
    late: c.Reserve | None = None,
    unpaid: c.Unpaid | None = None,
) -> c.Settle:
    return c.Settle(
        at=at,
        reservation_id=reservation_id,
        charge=Charge(Nusd(charge_nusd), "v1"),
        generation=Generation(provider="acme", model="acme/m", usage={"output": charge_nusd}),
        late=late,
        unpaid=unpaid,
    )


def release(reservation_id: str, *, at: datetime = NOW, unpaid: c.Unpaid | None = None) -> c.Release:
    return c.Release(at=at, reservation_id=reservation_id, reason="provider_failed", unpaid=unpaid)


def unpaid(presumed_nusd: int, cause: UnpaidCause = "abandoned") -> c.Unpaid:
    return c.Unpaid(presumed_nusd, cause)


def record_attempt(reservation_id: str, *, at: datetime = NOW) -> c.RecordAttempt:
    attempt = Attempt(provider="acme", error_class="timeout")
    return c.RecordAttempt(at=at, reservation_id=reservation_id, attempt=attempt)


def expire(reservation_id: str, *, at: datetime) -> c.ExpireReservation:
    return c.ExpireReservation(at=at, reservation_id=reservation_id)


def expire_lot(lot_id: str, *, at: datetime) -> c.ExpireLot:
    return c.ExpireLot(at=at, lot_id=lot_id)


def per(window: Window, limit_nusd: int) -> KeyLimit:
    return KeyLimit(limit_nusd, window)


def amounts(parts: tuple[Part, ...]) -> list[tuple[str, int]]:
    return [(part.lot_id, part.amount_nusd) for part in parts]


def remaining(state: CreditBalance) -> Mapping[str, int]:
    return {lot_id: lot.remaining_nusd for lot_id, lot in state.lots.items()}


def spent_by(state: CreditBalance, window: Window, at: datetime = NOW, key_id: str = "key") -> int:
    return spent(state.key_spend.get(key_id, {}), window, at)
