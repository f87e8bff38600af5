"""What an account's credit allows. `_reserve` applies all money limits of a request; no other place does (P2)."""

from collections.abc import Callable, Sequence
from datetime import datetime

from msgspec.structs import replace

from domain import times
from domain.credit import commands as c
from domain.credit import events as e
from domain.credit import ranges
from domain.credit.evolve import evolve
from domain.credit.lot import MAX_LIVE_LOTS, MAX_PRIORITY, Part, merged, split, take, total
from domain.credit.state import CreditBalance, Reservation
from domain.errors import DomainError
from domain.event import Command, Event
from domain.lot_kind import PRIORITY
from domain.money import FUSD_PER_NUSD, MAX_NUSD, format_usd
from domain.pricing.quote import Quote
from domain.window import KeyLimit, spent, window_end

UNLIMITED_NUSD = MAX_NUSD


def decide(command: c.CreditCommand, state: CreditBalance) -> Sequence[Event]:
    """Refuses with a DomainError; () means the command's work is done already. Time never runs backwards."""
    return _DECIDERS[type(command)](command, state, max(command.at, state.at))


def _grant(command: c.Grant, state: CreditBalance, at: datetime) -> Sequence[Event]:
    if command.lot_id in state.lots:
        raise DomainError("lot_exists", lot_id=command.lot_id)
    if not 0 < command.amount_nusd <= MAX_NUSD - state.posted_nusd:
        raise DomainError("invalid_amount", param="amount_usd", expected="more than zero, within what can be counted")
    expires_at = None if command.expires_at is None else times.checked(command.expires_at, "expires_at")
    if expires_at is not None and expires_at <= at:
        raise DomainError("invalid_expiry", param="expires_at", expected="a time in the future")
    if len(state.lots) >= MAX_LIVE_LOTS:
        raise DomainError("too_many_lots", limit=MAX_LIVE_LOTS)
    priority = PRIORITY[command.kind] if command.priority is None else command.priority
    if not 0 <= priority <= MAX_PRIORITY:
        raise DomainError("invalid_request", param="priority", message=f"priority must be 0 to {MAX_PRIORITY}")
    granted = e.Granted(
        at=at,
        lot_id=command.lot_id,
        kind=command.kind,
        priority=priority,
        amount_nusd=command.amount_nusd,
        expires_at=expires_at,
        source=command.source,
        reason=command.reason,
    )
    return [granted, *_shortfall_paid(granted, state)]


def _shortfall_paid(granted: e.Granted, state: CreditBalance) -> Sequence[Event]:
    """Only purchased credit pays what is owed; promo, trial and allowance credit is no money."""
    paid_nusd = min(state.owed_nusd, granted.amount_nusd)
    if granted.kind != "purchased" or paid_nusd == 0:
        return ()
    burnt = (Part(granted.lot_id, paid_nusd),)
    return [e.ShortfallPaid(at=granted.at, burnt=burnt, owed_nusd=state.owed_nusd - paid_nusd)]


def _reserve(command: c.Reserve, state: CreditBalance, at: datetime, replaces: str = "") -> Sequence[Event]:
    if command.reservation_id in state.reservations or command.reservation_id in state.expired:
        raise DomainError("reservation_exists", reservation_id=command.reservation_id)
    ranges.check_quote(command.quote)
    ranges.check_limit(command.key_limit)
    ranges.check_times(deadline_at=command.deadline_at, expires_at=command.expires_at)
    if command.unpaid_limit is not None and not replaces:  # work that is done already is not refused
        command.unpaid_limit.check(state.unpaid, state.settled, at)
    tokens, holds = _affordable(command, state, at)
    return [
        e.Reserved(
            at=at,
            reservation_id=command.reservation_id,
            key_id=command.key_id,
            amount_nusd=command.quote.amount_for(tokens),
            holds=holds,
            quote=command.quote,
            granted_tokens=tokens,
            deadline_at=command.deadline_at,
            expires_at=command.expires_at,
            requested_model=command.requested_model,
            model=command.model,
            provider=command.provider,
            price_version=command.price_version,
            streamed=command.streamed,
            is_limited=command.key_limit is not None,
            app=command.app,
            title=command.title,
            replaces=replaces,
            burnable=command.burnable,
        )
    ]


def _affordable(command: c.Reserve, state: CreditBalance, at: datetime) -> tuple[int, tuple[Part, ...]]:
    """Output tokens that both the available credit and the key's window leave room for, and the holds they need.

    Taking holds for the worst case answers all at once: if they fall short of it, their sum is all that is available.

    Raises: DomainError key_limit_exceeded, insufficient_credits; the latter with `needed_usd` if the price is flat.
    """
    quote = command.quote
    room = _key_room_nusd(command.key_id, command.key_limit, state, at)
    holds = take(state.spendable(command.burnable), min(quote.full_nusd, room), at)
    affordable = total(holds)
    tokens = quote.clamp(affordable)
    if tokens is not None:
        amount = quote.amount_for(tokens)
        return tokens, holds if amount == affordable else split(holds, amount)[0]
    if command.key_limit is not None and quote.clamp(room) is None:
        raise _key_limit_exceeded(command.key_limit, at)
    costs = {} if quote.per_token_fusd else {"needed_usd": format_usd(quote.full_nusd)}
    raise DomainError(
        "insufficient_credits",
        requested_tokens=quote.requested_tokens,
        affordable_tokens=max(0, quote.tokens_within(affordable)),
        **costs,
    )


def _key_room_nusd(key_id: str, limit: KeyLimit | None, state: CreditBalance, reserved_at: datetime) -> int:
    """nUSD that the key may still spend in the window of `reserved_at`; 0 if an excess went over the limit."""
    if limit is None:
        return UNLIMITED_NUSD
    return max(0, limit.limit_nusd - spent(state.key_spend.get(key_id, {}), limit.window, reserved_at))


def _key_limit_exceeded(limit: KeyLimit, at: datetime) -> DomainError:
    resets_at = window_end(limit.window, at)
    return DomainError(
        "key_limit_exceeded", window=limit.window, resets_at=resets_at.isoformat() if resets_at else None
    )


def _record_attempt(command: c.RecordAttempt, state: CreditBalance, at: datetime) -> Sequence[Event]:
    reservation = _open(state, command.reservation_id)
    return [
        e.AttemptRecorded(
            at=at,
            reservation_id=command.reservation_id,
            key_id=reservation.key_id,
            attempt=command.attempt,
        )
    ]


def _extend(command: c.ExtendReservation, state: CreditBalance, at: datetime) -> Sequence[Event]:
    reservation = _open(state, command.reservation_id)
    ranges.check_limit(command.key_limit)
    added = command.amount_nusd - reservation.amount_nusd
    if added <= 0:
        return ()
    room = _key_room_nusd(reservation.key_id, command.key_limit, state, reservation.reserved_at)
    holds = take(state.spendable(command.burnable), added, at)
    if added > min(room, total(holds)):
        raise DomainError("extension_unaffordable", reservation_id=command.reservation_id)
    return [
        e.ReservationExtended(
            at=at,
            reservation_id=command.reservation_id,
            key_id=reservation.key_id,
            added_nusd=added,
            holds=holds,
        )
    ]


def _settle(command: c.Settle, state: CreditBalance, at: datetime) -> Sequence[Event]:
    ranges.check_charge(command.charge)
    generation = ranges.checked_generation(command.generation)
    if command.late is not None and state.may_settle_late(command.reservation_id, at):
        return _settle_late(command, command.late, state, at)
    reservation = _open(state, command.reservation_id)
    burnt, freed = split(reservation.holds, command.charge.total_nusd)
    excess = command.charge.total_nusd - total(burnt)
    if excess:
        burnt = merged(state.lots, burnt, take(state.spendable(reservation.burnable), excess, at))
    settled = e.Settled(
        at=at,
        reservation_id=command.reservation_id,
        key_id=reservation.key_id,
        reserved_at=reservation.reserved_at,
        reserved_nusd=reservation.amount_nusd,
        burnt=burnt,
        charge=command.charge,
        generation=generation,
        requested_model=reservation.requested_model,
        app=reservation.app,
    )
    left_nusd = reservation.amount_nusd - settled.paid_nusd
    unpaid = _work_unpaid(command, left_nusd, at)
    return [settled, *unpaid, *_shortfall(settled, state), *_lapses(state, freed, at)]


def _settle_late(command: c.Settle, late: c.Reserve, state: CreditBalance, at: datetime) -> Sequence[Event]:
    """The reservation expired before its answer came: reserve the charge again and settle it, both or neither.

    The worst case is past: only the charge itself must be affordable, as a whole, or the answer is withheld.
    """
    ranges.check_times(expires_at=late.expires_at)
    exact = Quote(fixed_fusd=command.charge.total_nusd * FUSD_PER_NUSD, per_token_fusd=0, requested_tokens=0)
    again_id = c.late_id(command.reservation_id)
    again = replace(late, reservation_id=again_id, quote=exact, expires_at=max(late.expires_at, at))
    reserved = _reserve(again, state, at, replaces=command.reservation_id)
    for event in reserved:
        state = evolve(state, event)
    settle = c.Settle(at=command.at, reservation_id=again_id, charge=command.charge, generation=command.generation)
    return [*reserved, *_settle(settle, state, at)]


def _work_unpaid(command: c.Settle | c.Release, left_nusd: int, at: datetime) -> Sequence[Event]:
    """Unpaid work is at most `left_nusd`, the part of the reservation that was not paid."""
    presumed_nusd = 0 if command.unpaid is None else min(command.unpaid.presumed_nusd, left_nusd)
    if command.unpaid is None or presumed_nusd <= 0:
        return ()
    cause = command.unpaid.cause
    return [e.WorkUnpaid(at=at, reservation_id=command.reservation_id, presumed_nusd=presumed_nusd, cause=cause)]


def _shortfall(settled: e.Settled, state: CreditBalance) -> Sequence[Event]:
    if settled.shortfall_nusd == 0:
        return ()
    return [
        e.ShortfallRecorded(
            at=settled.at,
            reservation_id=settled.reservation_id,
            key_id=settled.key_id,
            amount_nusd=settled.shortfall_nusd,
            cause="overage",
            owed_nusd=state.owed_nusd + settled.shortfall_nusd,
        )
    ]


def _release(command: c.Release, state: CreditBalance, at: datetime) -> Sequence[Event]:
    reservation = _open(state, command.reservation_id)
    released = e.Released(
        at=at,
        reservation_id=command.reservation_id,
        key_id=reservation.key_id,
        reserved_at=reservation.reserved_at,
        reserved_nusd=reservation.amount_nusd,
        reason=command.reason,
        attempt=command.attempt,
    )
    unpaid = _work_unpaid(command, reservation.amount_nusd, at)
    return [released, *unpaid, *_lapses(state, reservation.holds, at)]


def _expire_reservation(command: c.ExpireReservation, state: CreditBalance, at: datetime) -> Sequence[Event]:
    reservation = state.reservations.get(command.reservation_id)
    if reservation is None:
        return ()
    if at < reservation.expires_at:
        raise DomainError("reservation_not_due", reservation_id=command.reservation_id)
    expired = e.ReservationExpired(
        at=at,
        reservation_id=command.reservation_id,
        key_id=reservation.key_id,
        reserved_at=reservation.reserved_at,
        reserved_nusd=reservation.amount_nusd,
        provider=reservation.provider,
        model=reservation.model,
    )
    return [expired, *_lapses(state, reservation.holds, at)]


def _expire_lot(command: c.ExpireLot, state: CreditBalance, at: datetime) -> Sequence[Event]:
    lot = state.lots.get(command.lot_id)
    if lot is None or lot.taken_back:
        return ()
    if not lot.is_expired_at(at):
        raise DomainError("lot_not_due", lot_id=command.lot_id)
    return [e.LotExpired(at=at, lot_id=lot.lot_id, kind=lot.kind, amount_nusd=lot.unheld_nusd)]


def _lapses(state: CreditBalance, freed: tuple[Part, ...], at: datetime) -> Sequence[Event]:
    """Parts that are freed on a lot that was taken back lapse too (docs/reference/rules.md#lots-and-burn-order)."""
    return [
        e.LotExpired(at=at, lot_id=part.lot_id, kind=state.lots[part.lot_id].kind, amount_nusd=part.amount_nusd)
        for part in freed
        if state.lots[part.lot_id].taken_back
    ]


def _open(state: CreditBalance, reservation_id: str) -> Reservation:
    reservation = state.reservations.get(reservation_id)
    if reservation is None:
        ended = "expired" if reservation_id in state.expired else "ended"
        raise DomainError("reservation_not_open", reservation_id=reservation_id, because=ended)
    return reservation


_DECIDERS: dict[type[Command], Callable[..., Sequence[Event]]] = {
    c.Grant: _grant,
    c.Reserve: _reserve,
    c.RecordAttempt: _record_attempt,
    c.ExtendReservation: _extend,
    c.Settle: _settle,
    c.Release: _release,
    c.ExpireReservation: _expire_reservation,
    c.ExpireLot: _expire_lot,
}
