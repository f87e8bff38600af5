"""Hypothesis strategies for what may be asked of a credit stream: mostly sensible, sometimes late, wrong or repeated.

Each takes the state it will meet, the time and a fresh name, so that most commands find something to do.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from domain.credit import commands as c
from domain.credit.events import Attempt, Generation, UnpaidCause
from domain.credit.state import CreditBalance
from domain.credit.unpaid import UnpaidLimit
from domain.lot_kind import LotKind
from domain.money import FUSD_PER_NUSD, Nusd
from domain.pricing.quote import Quote
from domain.pricing.rate import Charge
from domain.window import WINDOWS, KeyLimit

START = datetime(2026, 11, 25, 12, tzinfo=UTC)
HOUR_S, DAY_S = 3_600, 86_400

PAUSES = st.sampled_from(
    [0] * 8 + [1, 60, 1_500, HOUR_S] + [12 * HOUR_S] * 3 + [DAY_S, DAY_S + 1, 8 * DAY_S, -HOUR_S]
).map(lambda seconds: timedelta(seconds=seconds))
"""Between two commands: mostly none, sometimes over the edge of a window, and sometimes a clock that was set back."""

KINDS: tuple[LotKind, ...] = ("allowance", "trial", "promo", "purchased")
AMOUNTS = st.integers(0, 14).flatmap(
    lambda n: st.sampled_from([0, -1, 10**9, 2**62]) if n == 0 else st.integers(1, 400)
)
QUOTES = st.builds(
    Quote,
    fixed_fusd=st.one_of(st.just(0), st.integers(0, 60).map(lambda n: n * FUSD_PER_NUSD), st.integers(0, 60_000_000)),
    per_token_fusd=st.sampled_from([0, 1, 499_999, 500_000, FUSD_PER_NUSD, 1_700_000, 3 * FUSD_PER_NUSD]),
    requested_tokens=st.one_of(st.integers(0, 20), st.integers(0, 250)),
)
LIMITS = st.one_of(
    st.none(),
    st.builds(KeyLimit, limit_nusd=st.sampled_from([0, 40, 80, 150, 500]), window=st.sampled_from(WINDOWS)),
)
BURNABLE: SearchStrategy[tuple[LotKind, ...] | None] = st.sampled_from([None, None, None, ("purchased",)])
UNPAID_LIMITS = st.one_of(
    st.none(),
    st.builds(UnpaidLimit, st.sampled_from([0, 20, 60, 60, 400]), st.sampled_from([0, 1, 100_000, 333_333, 2_000_000])),
)
UNPAID = st.one_of(
    st.none(),
    st.builds(c.Unpaid, st.sampled_from([-1, 0, 1, 10, 30, 10**12]), st.sampled_from(get_args(UnpaidCause))),
)
LIFETIMES = st.sampled_from([None, None, None, 0, 1, HOUR_S, 12 * HOUR_S, DAY_S, 3 * DAY_S, 20 * DAY_S])


def named(draw: DrawFn, likely: Iterable[str], others: Iterable[str]) -> str:
    """Mostly one of `likely`; now and then another, or a name that nobody has."""
    found = list(likely)
    is_usual: bool = bool(found) and draw(st.integers(0, 9)) > 0
    return draw(st.sampled_from(found if is_usual else [*others, "nobody"]))


@st.composite
def grants(draw: DrawFn, state: CreditBalance, now: datetime, name: str) -> c.Grant:
    lives_s = draw(LIFETIMES)
    return c.Grant(
        at=now,
        lot_id=named(draw, [name], [*state.lots, name]).replace("nobody", name),
        kind=draw(st.sampled_from(KINDS + ("purchased",) * 3 if state.owed_nusd else KINDS)),
        amount_nusd=draw(AMOUNTS),
        priority=draw(st.sampled_from([None, None, None, None, 5, 35])),
        expires_at=None if lives_s is None else now + timedelta(seconds=lives_s),
    )


@st.composite
def reserves(draw: DrawFn, state: CreditBalance, now: datetime, name: str) -> c.Reserve:
    return c.Reserve(
        at=now,
        reservation_id=named(draw, [name], [*state.reservations, name]).replace("nobody", name),
        key_id=draw(st.sampled_from(["k1", "k1", "k2"])),
        quote=draw(QUOTES),
        deadline_at=now + timedelta(seconds=600),
        expires_at=now + timedelta(seconds=draw(st.sampled_from([0, 60, 1_500, 1_500]))),
        requested_model="auto",
        model="acme/m",
        provider="acme",
        price_version="v1",
        key_limit=draw(LIMITS),
        burnable=draw(BURNABLE),
        unpaid_limit=draw(UNPAID_LIMITS),
    )


@st.composite
def attempts(draw: DrawFn, state: CreditBalance, now: datetime, name: str) -> c.RecordAttempt:
    attempt = Attempt(provider="acme", error_class="timeout")
    return c.RecordAttempt(at=now, reservation_id=named(draw, state.reservations, state.expired), attempt=attempt)


@st.composite
def extensions(draw: DrawFn, state: CreditBalance, now: datetime, name: str) -> c.ExtendReservation:
    reservation_id = named(draw, state.reservations, state.expired)
    opened = state.reservations.get(reservation_id)
    reserved_nusd = opened.amount_nusd if opened else 0
    just_full = KeyLimit(reserved_nusd, "daily")
    return c.ExtendReservation(
        at=now,
        reservation_id=reservation_id,
        amount_nusd=reserved_nusd + draw(st.sampled_from([-1, 0, 1, 5, 30, 30, 100, 500])),
        key_limit=draw(st.one_of(LIMITS, st.just(just_full))),
        burnable=draw(BURNABLE),
    )


def charged(draw: DrawFn, reserved_nusd: int) -> Charge:
    """Below, at, above or far above the reservation; now and then impossible."""
    percent = draw(st.sampled_from([0, 1, 50, 50, 99, 100, 100, 110, 300, 300]))
    impossible = draw(st.sampled_from([-(2**63), 2**63]))
    extra = draw(st.sampled_from([0] * 10 + [1, 400, 2_000, 2_000, 2_000, impossible]))
    return Charge(Nusd(reserved_nusd * percent // 100 + extra), "v1")


@st.composite
def settles(draw: DrawFn, state: CreditBalance, now: datetime, name: str) -> c.Settle:
    reservation_id = named(draw, state.reservations, state.expired)
    opened = state.reservations.get(reservation_id)
    return c.Settle(
        at=now,
        reservation_id=reservation_id,
        charge=charged(draw, opened.amount_nusd if opened else 10),
        generation=Generation(provider="acme", model="acme/m", usage={"output": 1}),
        late=draw(st.one_of(st.none(), reserves(state, now, name))),
        unpaid=draw(UNPAID),
    )


@st.composite
def late_settles(draw: DrawFn, state: CreditBalance, now: datetime, name: str) -> c.Settle:
    return c.Settle(
        at=now,
        reservation_id=named(draw, state.expired, state.reservations),
        charge=charged(draw, draw(st.integers(0, 60))),
        generation=Generation(provider="acme", model="acme/m", usage={"output": 1}),
        late=draw(reserves(state, now, name)),
        unpaid=draw(UNPAID),
    )


@st.composite
def releases(draw: DrawFn, state: CreditBalance, now: datetime, name: str) -> c.Release:
    reservation_id = named(draw, state.reservations, state.expired)
    return c.Release(at=now, reservation_id=reservation_id, reason="provider_failed", unpaid=draw(UNPAID))


@st.composite
def reservation_expiries(draw: DrawFn, state: CreditBalance, now: datetime, name: str) -> c.ExpireReservation:
    due = due_reservations(state, max(now, state.at))
    return c.ExpireReservation(at=now, reservation_id=named(draw, due, [*state.reservations, *state.expired]))


@st.composite
def lot_expiries(draw: DrawFn, state: CreditBalance, now: datetime, name: str) -> c.ExpireLot:
    return c.ExpireLot(at=now, lot_id=named(draw, due_lots(state, max(now, state.at)), state.lots))


Makes = Callable[[CreditBalance, datetime, str], SearchStrategy[Any]]

EVERY: tuple[Makes, ...] = (
    grants,
    reserves,
    attempts,
    extensions,
    settles,
    late_settles,
    releases,
    reservation_expiries,
    lot_expiries,
)
ENDINGS: tuple[Makes, ...] = (settles, late_settles, releases, reservation_expiries, lot_expiries)


@st.composite
def any_command(draw: DrawFn, state: CreditBalance, now: datetime, name: str) -> c.CreditCommand:
    """Mostly a command that finds something to do in `state`, one time in ten any other."""
    makes = draw(st.sampled_from(fitting(state, max(now, state.at)) if draw(st.integers(0, 9)) else EVERY))
    command: c.CreditCommand = draw(makes(state, now, name))
    return command


def fitting(state: CreditBalance, now: datetime) -> list[Makes]:
    """Commands that can be accepted now, the usual ones several times."""
    found: list[Makes] = [grants, *[reserves] * 3] if state.available_nusd(now) else [grants, grants, reserves]
    if state.owed_nusd:
        found += [grants]  # a purchase pays first
    if state.reservations:
        found += [settles, settles, releases, attempts, extensions, extensions]
    if state.expired:
        found += [late_settles, late_settles]
    if due_reservations(state, now):
        found += [reservation_expiries, reservation_expiries]
    if due_lots(state, now):
        found += [lot_expiries, lot_expiries]
    return found


def due_reservations(state: CreditBalance, now: datetime) -> list[str]:
    return [rid for rid, reservation in state.reservations.items() if reservation.expires_at <= now]


def due_lots(state: CreditBalance, now: datetime) -> list[str]:
    return [lot.lot_id for lot in state.lots.values() if lot.is_expired_at(now) and not lot.taken_back]
