"""A key as its owner, admins and operators see it."""

from datetime import datetime

import msgspec

from application.reads.keys import KeySpending
from application.sealed import opened
from application.write import Ports
from domain.api_key.api_key import ApiKey
from domain.api_key.events import Environment, KeyKind
from domain.window import Window

VISIBLE_WAIT_S = 2.0
"""A change of a key answers when the read models show it, or after this time; until then lookups by secret read the
key's stream."""


class ShownKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key with its decrypted label and its spending: settled charges in nUSD, in total and in the current day, week
    and month (UTC). limit_remaining_nusd: the limit less its window's settled charges; reservations are not counted."""

    key_id: str
    account_id: str
    label: str
    kind: KeyKind
    environment: Environment
    last4: str
    disabled: bool
    issued_at: datetime
    changed_at: datetime
    expires_at: datetime | None
    limit_nusd: int | None
    limit_window: Window | None
    limit_remaining_nusd: int | None
    spent_nusd: int
    spent_daily_nusd: int
    spent_weekly_nusd: int
    spent_monthly_nusd: int
    requests: int


async def as_shown(ports: Ports, key: ApiKey, spending: KeySpending) -> ShownKey:
    limit = key.settings.limit
    return ShownKey(
        key_id=key.key_id,
        account_id=key.account_id,
        label=await opened(ports.personal_data, key.account_id, key.settings.label),
        kind=key.kind,
        environment=key.environment,
        last4=key.secret.last4,
        disabled=key.settings.disabled,
        issued_at=key.issued_at,
        changed_at=key.changed_at,
        expires_at=key.settings.expires_at,
        limit_nusd=limit.limit_nusd if limit else None,
        limit_window=limit.window if limit else None,
        limit_remaining_nusd=max(0, limit.limit_nusd - spending.within(limit.window)) if limit else None,
        spent_nusd=spending.total_nusd,
        spent_daily_nusd=spending.daily_nusd,
        spent_weekly_nusd=spending.weekly_nusd,
        spent_monthly_nusd=spending.monthly_nusd,
        requests=spending.requests,
    )


async def spending_of(ports: Ports, account_id: str, key_id: str) -> KeySpending:
    """Nothing, until the read models have the key."""
    record = await ports.reads.keys.find(account_id, key_id, ports.clock.now())
    return record.spending if record else KeySpending()
