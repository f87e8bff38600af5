"""List accounts a page at a time."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from application.reads.accounts import AccountRecord
from application.sealed import opened
from application.write import Ports
from domain.account.events import AccountState


class AccountLine(msgspec.Struct, frozen=True, kw_only=True):
    account_id: str
    username: str
    email: str
    state: AccountState
    opened_at: datetime


async def list_accounts(ports: Ports, after: str, limit: int) -> Sequence[AccountLine]:
    """Up to `limit` accounts after the account `after` ("" starts at the first), oldest first, with decrypted names."""
    return [await line_of(ports, record) for record in await ports.reads.accounts.page(after, limit)]


async def line_of(ports: Ports, record: AccountRecord) -> AccountLine:
    return AccountLine(
        account_id=record.account_id,
        username=await opened(ports.personal_data, record.account_id, record.username),
        email=await opened(ports.personal_data, record.account_id, record.email),
        state=record.state,
        opened_at=record.opened_at,
    )
