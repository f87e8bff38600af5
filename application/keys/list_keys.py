"""List an account's keys."""

from collections.abc import Sequence

import msgspec

from application.keys.shown_key import ShownKey, as_shown
from application.write import Ports


class ListKeys(msgspec.Struct, frozen=True, kw_only=True):
    """offset: skips the oldest. limit: None lists all."""

    offset: int = 0
    limit: int | None = None
    include_disabled: bool = True


async def list_keys(ports: Ports, account_id: str, wanted: ListKeys) -> Sequence[ShownKey]:
    """The account's keys that are not revoked, oldest first."""
    records = await ports.reads.keys.of_account(account_id, ports.clock.now())
    listed = [record for record in records if wanted.include_disabled or not record.key.settings.disabled]
    end = None if wanted.limit is None else wanted.offset + wanted.limit
    return [await as_shown(ports, record.key, record.spending) for record in listed[wanted.offset : end]]
