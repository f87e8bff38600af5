"""An account as an admin sees it."""

from datetime import datetime

import msgspec

from adapters.inbound.http.shapes.key_shape import LimitReset, label_of, reset_of
from application.accounts.show_account import ShownAccount
from application.keys.shown_key import ShownKey
from domain.account.events import AccountState
from domain.api_key.events import Environment, KeyKind
from domain.credit.lot import Lot
from domain.credit.state import Reservation
from domain.log import format_position
from domain.lot_kind import LotKind
from domain.money import format_usd


class LotView(msgspec.Struct, frozen=True, kw_only=True):
    """A live lot, in burn order."""

    lot_id: str
    kind: LotKind
    priority: int
    remaining_usd: str
    held_usd: str
    expires_at: datetime | None


class ReservationView(msgspec.Struct, frozen=True, kw_only=True):
    reservation_id: str
    key_id: str
    model: str
    provider: str
    amount_usd: str
    reserved_at: datetime
    expires_at: datetime


class KeyView(msgspec.Struct, frozen=True, kw_only=True):
    key_id: str
    label: str
    shown_as: str
    kind: KeyKind
    environment: Environment
    disabled: bool
    limit_usd: str | None
    limit_reset: LimitReset | None
    usage_usd: str
    created_at: datetime
    expires_at: datetime | None


class AccountView(msgspec.Struct, frozen=True, kw_only=True):
    """`available_usd` = posted less held, without lots past their expiry. The next purchased grant pays `owed_usd`.

    unpaid_work_usd:      what providers presumably charged within 30 UTC days and no customer paid.
    not_provable_beyond:  position of an event of this account that could not be projected; normally null.
    """

    account_id: str
    username: str | None
    email: str | None
    state: AccountState
    available_usd: str
    posted_usd: str
    held_usd: str
    owed_usd: str
    unpaid_work_usd: str
    lots: list[LotView]
    open_reservations: list[ReservationView]
    keys: list[KeyView]
    not_provable_beyond: str | None


def view_account(account: ShownAccount) -> AccountView:
    beyond = account.credits.not_provable_beyond
    return AccountView(
        account_id=account.account_id,
        username=account.username,
        email=account.email,
        state=account.state,
        available_usd=format_usd(account.available_nusd),
        posted_usd=format_usd(account.posted_nusd),
        held_usd=format_usd(account.held_nusd),
        owed_usd=format_usd(account.owed_nusd),
        unpaid_work_usd=format_usd(account.unpaid_work_nusd),
        lots=[_lot(lot) for lot in account.lots],
        open_reservations=[_reservation(*entry) for entry in account.open_reservations.items()],
        keys=[_key(key) for key in account.keys],
        not_provable_beyond=None if beyond is None else format_position(beyond),
    )


def _key(key: ShownKey) -> KeyView:
    return KeyView(
        key_id=key.key_id,
        label=key.label,
        shown_as=label_of(key.environment, key.last4),
        kind=key.kind,
        environment=key.environment,
        disabled=key.disabled,
        limit_usd=None if key.limit_nusd is None else format_usd(key.limit_nusd),
        limit_reset=reset_of(key.limit_window),
        usage_usd=format_usd(key.spent_nusd),
        created_at=key.issued_at,
        expires_at=key.expires_at,
    )


def _lot(lot: Lot) -> LotView:
    return LotView(
        lot_id=lot.lot_id,
        kind=lot.kind,
        priority=lot.priority,
        remaining_usd=format_usd(lot.remaining_nusd),
        held_usd=format_usd(lot.held_nusd),
        expires_at=lot.expires_at,
    )


def _reservation(reservation_id: str, reservation: Reservation) -> ReservationView:
    return ReservationView(
        reservation_id=reservation_id,
        key_id=reservation.key_id,
        model=reservation.model,
        provider=reservation.provider,
        amount_usd=format_usd(reservation.amount_nusd),
        reserved_at=reservation.reserved_at,
        expires_at=reservation.expires_at,
    )
