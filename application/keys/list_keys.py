"""List an account's keys."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from application.reads.keys import KeyRecord
from application.sealed import opened
from application.write import Ports
from domain.api_key.events import Environment, KeyKind
from domain.window import Window


class ShownKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key with its decrypted label and its spend: settled charges in nUSD."""

    key_id: str
    label: str
    kind: KeyKind
    environment: Environment
    last4: str
    disabled: bool
    issued_at: datetime
    expires_at: datetime | None
    limit_nusd: int | None
    limit_window: Window | None
    spent_nusd: int
    requests: int


async def list_keys(ports: Ports, account_id: str) -> Sequence[ShownKey]:
    """The account's keys that are not revoked, oldest first."""
    return [await _shown(ports, record) for record in await ports.reads.keys.of_account(account_id, ports.clock.now())]


async def _shown(ports: Ports, record: KeyRecord) -> ShownKey:
    key, limit = record.key, record.key.settings.limit
    return ShownKey(
        key_id=key.key_id,
        label=await opened(ports.personal_data, key.account_id, key.settings.label),
        kind=key.kind,
        environment=key.environment,
        last4=key.secret.last4,
        disabled=key.settings.disabled,
        issued_at=key.issued_at,
        expires_at=key.settings.expires_at,
        limit_nusd=limit.limit_nusd if limit else None,
        limit_window=limit.window if limit else None,
        spent_nusd=record.spending.total_nusd,
        requests=record.spending.requests,
    )
