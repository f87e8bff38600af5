"""What verbs show of accounts: personal data opened, amounts in nUSD. `--json` prints these as they are."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from application.reads.credits import Credits
from application.reads.generations import GenerationRecord


class KeyView(msgspec.Struct, frozen=True, kw_only=True):
    key_id: str
    label: str
    kind: str
    environment: str
    last4: str
    disabled: bool
    issued_at: datetime
    expires_at: datetime | None
    limit_nusd: int | None
    limit_window: str | None
    spent_nusd: int
    requests: int


class AccountView(msgspec.Struct, frozen=True, kw_only=True):
    account_id: str
    username: str
    email: str
    state: str
    opened_at: datetime
    available_nusd: int
    credits: Credits
    keys: Sequence[KeyView]


class AccountLine(msgspec.Struct, frozen=True, kw_only=True):
    account_id: str
    username: str
    email: str
    state: str
    opened_at: datetime


class LotView(msgspec.Struct, frozen=True, kw_only=True):
    lot_id: str
    kind: str
    priority: int
    granted_nusd: int
    burnt_nusd: int
    expired_nusd: int
    held_nusd: int
    available_nusd: int
    granted_at: datetime
    expires_at: datetime | None
    source: str
    reason: str
    position: int


class StatementView(msgspec.Struct, frozen=True, kw_only=True):
    """Oldest first, all as of `position` of the log."""

    account_id: str
    username: str
    available_nusd: int
    credits: Credits
    lots: Sequence[LotView]
    requests: Sequence[GenerationRecord]
    position: int
