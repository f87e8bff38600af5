"""How each event changes an account's credit. Evolving never refuses: it replays decisions."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import TypeVar

from msgspec.structs import replace

from domain.credit import events as e
from domain.credit.lot import Lot, Part, in_burn_order, merged, total
from domain.credit.state import EXPIRED_MEMORY_S, CreditBalance, Reservation
from domain.credit.unpaid import added
from domain.event import Event
from domain.window import KeySpend, add_reserved, adjust_reserved

T = TypeVar("T")


def evolve(state: CreditBalance, event: Event) -> CreditBalance:
    """Apply one credit event; KeyError for an event of another aggregate, a fault of the caller."""
    return _EVOLVERS[type(event)](state, event)


def _granted(state: CreditBalance, event: e.Granted) -> CreditBalance:
    lot = Lot(event.lot_id, event.kind, event.priority, state.grants, event.amount_nusd, 0, event.expires_at)
    return replace(
        state,
        at=event.at,
        lots=in_burn_order((*state.lots.values(), lot)),
        grants=state.grants + 1,
        posted_nusd=state.posted_nusd + event.amount_nusd,
    )


def _reserved(state: CreditBalance, event: e.Reserved) -> CreditBalance:
    opened = Reservation(
        amount_nusd=event.amount_nusd,
        holds=event.holds,
        key_id=event.key_id,
        reserved_at=event.at,
        expires_at=event.expires_at,
        model=event.model,
        requested_model=event.requested_model,
        provider=event.provider,
        is_limited=event.is_limited,
        app=event.app,
        burnable=event.burnable,
    )
    state = _counted(state, event) if event.is_limited else _uncounted(state, event.key_id)
    return replace(
        state,
        at=event.at,
        lots=_moved(state.lots, held=event.holds),
        reservations={**state.reservations, event.reservation_id: opened},
        expired=_without(state.expired, event.replaces),
        held_nusd=state.held_nusd + event.amount_nusd,
    )


def _counted(state: CreditBalance, event: e.Reserved) -> CreditBalance:
    spend = add_reserved(state.key_spend.get(event.key_id, {}), event.amount_nusd, event.at)
    return replace(state, key_spend={**state.key_spend, event.key_id: spend})


def _uncounted(state: CreditBalance, key_id: str) -> CreditBalance:
    """Totals exist only for keys with a limit. A key that lost its limit loses its totals, and its open reservations no
    longer count: otherwise their ends would be subtracted from totals that begin later."""
    if key_id not in state.key_spend:
        return state
    reservations = {
        rid: replace(r, is_limited=False) if r.key_id == key_id else r for rid, r in state.reservations.items()
    }
    return replace(state, key_spend=_without(state.key_spend, key_id), reservations=reservations)


def _extended(state: CreditBalance, event: e.ReservationExtended) -> CreditBalance:
    old = state.reservations[event.reservation_id]
    extended = replace(
        old, amount_nusd=old.amount_nusd + event.added_nusd, holds=merged(state.lots, old.holds, event.holds)
    )
    return replace(
        state,
        at=event.at,
        lots=_moved(state.lots, held=event.holds),
        reservations={**state.reservations, event.reservation_id: extended},
        key_spend=_adjusted(state, old, event.added_nusd),
        held_nusd=state.held_nusd + event.added_nusd,
    )


def _attempted(state: CreditBalance, event: e.AttemptRecorded) -> CreditBalance:
    return replace(state, at=event.at)


def _settled(state: CreditBalance, event: e.Settled) -> CreditBalance:
    return _ended(state, event.at, event.reservation_id, burnt=event.burnt)


def _released(state: CreditBalance, event: e.Released) -> CreditBalance:
    return _ended(state, event.at, event.reservation_id)


def _work_unpaid(state: CreditBalance, event: e.WorkUnpaid) -> CreditBalance:
    return replace(state, at=event.at, unpaid=added(state.unpaid, event.presumed_nusd, event.at))


def _reservation_expired(state: CreditBalance, event: e.ReservationExpired) -> CreditBalance:
    horizon = event.at - timedelta(seconds=EXPIRED_MEMORY_S)
    remembered = {rid: at for rid, at in state.expired.items() if at >= horizon}
    remembered[event.reservation_id] = event.at
    return replace(_ended(state, event.at, event.reservation_id), expired=remembered)


def _lot_expired(state: CreditBalance, event: e.LotExpired) -> CreditBalance:
    lots = dict(state.lots)
    lot = lots[event.lot_id]
    remaining = lot.remaining_nusd - event.amount_nusd
    if remaining:
        lots[event.lot_id] = replace(lot, remaining_nusd=remaining, taken_back="expired")
    else:
        del lots[event.lot_id]
    return replace(
        state,
        at=event.at,
        lots=lots,
        posted_nusd=state.posted_nusd - event.amount_nusd,
    )


def _shortfall(state: CreditBalance, event: e.ShortfallRecorded) -> CreditBalance:
    return replace(state, at=event.at, owed_nusd=state.owed_nusd + event.amount_nusd * event.is_owed)


def _shortfall_paid(state: CreditBalance, event: e.ShortfallPaid) -> CreditBalance:
    paid_nusd = event.amount_nusd
    return replace(
        state,
        at=event.at,
        lots=_moved(state.lots, burnt=event.burnt),
        posted_nusd=state.posted_nusd - paid_nusd,
        owed_nusd=state.owed_nusd - paid_nusd,
    )


def _ended(state: CreditBalance, at: datetime, reservation_id: str, burnt: tuple[Part, ...] = ()) -> CreditBalance:
    """Close a reservation: free its holds, then take what was burnt (more than held only on overage)."""
    reservation = state.reservations[reservation_id]
    burnt_nusd = total(burnt)
    return replace(
        state,
        at=at,
        lots=_moved(state.lots, freed=reservation.holds, burnt=burnt),
        reservations=_without(state.reservations, reservation_id),
        key_spend=_adjusted(state, reservation, burnt_nusd - reservation.amount_nusd),
        posted_nusd=state.posted_nusd - burnt_nusd,
        held_nusd=state.held_nusd - reservation.amount_nusd,
        settled=added(state.settled, burnt_nusd, at),
    )


def _adjusted(state: CreditBalance, reservation: Reservation, delta_nusd: int) -> dict[str, KeySpend]:
    spend = state.key_spend.get(reservation.key_id)
    if not reservation.is_limited or spend is None or delta_nusd == 0:
        return state.key_spend
    adjusted = adjust_reserved(spend, delta_nusd, reservation.reserved_at)
    return {**state.key_spend, reservation.key_id: adjusted}


def _moved(
    lots: dict[str, Lot],
    held: Iterable[Part] = (),
    freed: Iterable[Part] = (),
    burnt: Iterable[Part] = (),
) -> dict[str, Lot]:
    """Copy of `lots`, still in burn order, with the parts applied; a lot with nothing left is dropped."""
    moved = dict(lots)
    for part in held:
        lot = moved[part.lot_id]
        moved[part.lot_id] = replace(lot, held_nusd=lot.held_nusd + part.amount_nusd)
    for part in freed:
        lot = moved[part.lot_id]
        moved[part.lot_id] = replace(lot, held_nusd=lot.held_nusd - part.amount_nusd)
    for part in burnt:
        lot = moved[part.lot_id]
        remaining = lot.remaining_nusd - part.amount_nusd
        if remaining:
            moved[part.lot_id] = replace(lot, remaining_nusd=remaining)
        else:
            del moved[part.lot_id]
    return moved


def _without(entries: dict[str, T], key: str) -> dict[str, T]:
    if key not in entries:
        return entries
    rest = dict(entries)
    del rest[key]
    return rest


_EVOLVERS: dict[type[Event], Callable[..., CreditBalance]] = {
    e.Granted: _granted,
    e.Reserved: _reserved,
    e.ReservationExtended: _extended,
    e.AttemptRecorded: _attempted,
    e.Settled: _settled,
    e.ShortfallRecorded: _shortfall,
    e.ShortfallPaid: _shortfall_paid,
    e.Released: _released,
    e.WorkUnpaid: _work_unpaid,
    e.ReservationExpired: _reservation_expired,
    e.LotExpired: _lot_expired,
}
