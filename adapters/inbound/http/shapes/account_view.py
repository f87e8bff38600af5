"""An account as an admin sees it: its state and credit from the streams themselves, the rest from read models."""

from datetime import datetime

import msgspec

from adapters.inbound.http.gateway import Gateway
from adapters.inbound.http.shapes.key_shape import label_of
from application.keys.list_keys import ShownKey
from application.sealed import opened
from domain.account.account import ACCOUNT, Account
from domain.account.events import AccountState
from domain.api_key.events import Environment, KeyKind
from domain.credit.decider import CREDIT
from domain.credit.lot import Lot
from domain.credit.state import Reservation
from domain.credit.unpaid import sum_nusd
from domain.errors import DomainError
from domain.log import format_position
from domain.lot_kind import LotKind
from domain.money import format_usd
from domain.window import Window


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
    limit_reset: Window | None
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


async def view_account(gateway: Gateway, account_id: str) -> AccountView:
    """Raises: DomainError account_not_found."""
    account = await known_account(gateway, account_id)
    credit = await gateway.ledger.state_of(CREDIT, account_id)
    now = gateway.clock.now()
    username, email = await _names(gateway, account_id)
    beyond = (await gateway.reads.credits.of_account(account_id)).not_provable_beyond
    keys = [_key(key) for key in await gateway.use_cases.list_keys(account_id)]
    return AccountView(
        account_id=account_id,
        username=username,
        email=email,
        state=account.state,
        available_usd=format_usd(credit.available_nusd(now)),
        posted_usd=format_usd(credit.posted_nusd),
        held_usd=format_usd(credit.held_nusd),
        owed_usd=format_usd(credit.owed_nusd),
        unpaid_work_usd=format_usd(sum_nusd(credit.unpaid, now.date())),
        lots=[_lot(lot) for lot in credit.lots.values()],
        open_reservations=[_reservation(*entry) for entry in credit.reservations.items()],
        keys=keys,
        not_provable_beyond=None if beyond is None else format_position(beyond),
    )


async def known_account(gateway: Gateway, account_id: str) -> Account:
    account = await gateway.ledger.state_of(ACCOUNT, account_id)
    if not account.exists:
        raise DomainError("account_not_found", account_id=account_id)
    return account


async def _names(gateway: Gateway, account_id: str) -> tuple[str | None, str | None]:
    record = await gateway.reads.accounts.find(account_id)
    if record is None:
        return None, None
    data = gateway.personal_data
    return await opened(data, account_id, record.username), await opened(data, account_id, record.email)


def _key(key: ShownKey) -> KeyView:
    return KeyView(
        key_id=key.key_id,
        label=key.label,
        shown_as=label_of(key.environment, key.last4),
        kind=key.kind,
        environment=key.environment,
        disabled=key.disabled,
        limit_usd=None if key.limit_nusd is None else format_usd(key.limit_nusd),
        limit_reset=None if key.limit_window == "total" else key.limit_window,
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
