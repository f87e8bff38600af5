"""Show an account: its state and credit from its streams, its names, totals and keys from the read models."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from application.keys.list_keys import ListKeys, list_keys
from application.keys.shown_key import ShownKey
from application.reads.credits import Credits
from application.reads.positions import PATIENCE_S
from application.sealed import opened
from application.write import Ports, known_account
from domain.account.events import AccountState
from domain.credit.decider import CREDIT
from domain.credit.lot import Lot
from domain.credit.state import Reservation
from domain.credit.unpaid import sum_nusd


class ShowAccount(msgspec.Struct, frozen=True):
    """patience_s: how long to wait for the account's newest events in the read models; 0 if the caller has waited."""

    patience_s: float = PATIENCE_S


class ShownAccount(msgspec.Struct, frozen=True, kw_only=True):
    """Amounts are in nUSD. Personal data is decrypted; it and `opened_at` are None until the read models have the
    account.

    available_nusd:    posted - held, without lots past their expiry.
    unpaid_work_nusd:  what providers presumably charged within 30 UTC days and no customer paid.
    lots:              live lots in burn order.
    credits:           the totals in the read models, as of their position.
    """

    account_id: str
    username: str | None
    email: str | None
    state: AccountState
    opened_at: datetime | None
    available_nusd: int
    posted_nusd: int
    held_nusd: int
    owed_nusd: int
    unpaid_work_nusd: int
    lots: Sequence[Lot]
    open_reservations: Mapping[str, Reservation]
    credits: Credits
    keys: Sequence[ShownKey]


async def show_account(ports: Ports, account_id: str, wanted: ShowAccount) -> ShownAccount:
    """Raises: DomainError account_not_found."""
    account = await known_account(ports, account_id)
    if wanted.patience_s:
        await ports.reads.positions.wait_for_account(account_id, wanted.patience_s)
    credit = await ports.ledger.state_of(CREDIT, account_id)
    now = ports.clock.now()
    record = await ports.reads.accounts.find(account_id)
    return ShownAccount(
        account_id=account_id,
        username=await opened(ports.personal_data, account_id, record.username) if record else None,
        email=await opened(ports.personal_data, account_id, record.email) if record else None,
        state=account.state,
        opened_at=record.opened_at if record else None,
        available_nusd=credit.available_nusd(now),
        posted_nusd=credit.posted_nusd,
        held_nusd=credit.held_nusd,
        owed_nusd=credit.owed_nusd,
        unpaid_work_nusd=sum_nusd(credit.unpaid, now.date()),
        lots=list(credit.lots.values()),
        open_reservations=credit.reservations,
        credits=await ports.reads.credits.of_account(account_id),
        keys=await list_keys(ports, account_id, ListKeys()),
    )
