"""Show an account from the read models: its names, state, credit and keys."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from application.accounts.list_accounts import line_of
from application.keys.list_keys import ShownKey, list_keys
from application.reads.credits import Credits
from application.write import Ports
from domain.account.events import AccountState
from domain.errors import DomainError


class ShownAccount(msgspec.Struct, frozen=True, kw_only=True):
    """Personal data is decrypted; amounts are in nUSD."""

    account_id: str
    username: str
    email: str
    state: AccountState
    opened_at: datetime
    available_nusd: int
    credits: Credits
    keys: Sequence[ShownKey]


async def show_account(ports: Ports, account_id: str) -> ShownAccount:
    """Raises: DomainError account_not_found."""
    await ports.reads.positions.wait_for_account(account_id)
    record = await ports.reads.accounts.find(account_id)
    if record is None:
        raise DomainError("account_not_found", account_id=account_id)
    line = await line_of(ports, record)
    credits = await ports.reads.credits.of_account(account_id)
    return ShownAccount(
        account_id=account_id,
        username=line.username,
        email=line.email,
        state=line.state,
        opened_at=line.opened_at,
        available_nusd=credits.available_nusd,
        credits=credits,
        keys=await list_keys(ports, account_id),
    )
