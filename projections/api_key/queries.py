"""Queries about keys and the standing of accounts."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from domain.account.events import AccountState
from domain.api_key.api_key import ApiKey
from domain.api_key.events import Environment, KeyKind, KeySettings, Secret
from domain.event import GENESIS
from domain.window import KeyLimit, Window, window_start
from projections.api_key.project import ACCOUNT_STANDING
from projections.engine.reader import Reader, Row
from projections.engine.views import views_of

VIEWS = views_of(__package__)


class KeyRow(NamedTuple):
    """A row of the view of keys."""

    key_id: str
    account_id: str
    kind: KeyKind
    environment: Environment
    secret_hash: bytes
    last4: str
    label: bytes
    is_disabled: bool
    limit_nusd: int | None
    limit_window: Window | None
    expires_at: datetime | None
    old_secret_hash: bytes | None
    old_last4: str | None
    old_until: datetime | None
    is_revoked: bool
    created_at: datetime
    updated_at: datetime


KEY_WIDTH = len(KeyRow._fields)

KEY_COLUMNS = ", ".join(f"k.{name}" for name in KeyRow._fields)

ACCOUNT_COLUMNS = ", ".join(ACCOUNT_STANDING.names)

# An account without standing is not served: 'closed' is what an unopened account is (domain/account).
FIND_KEY = f"""
SELECT {KEY_COLUMNS}, coalesce(a.state, 'closed'), p.position
  FROM read.api_key_secret_{{build}} s
  JOIN ({VIEWS["api_key"]}) k ON k.key_id = s.key_id
  JOIN read.positions p ON p.projection = 'api_key' AND p.version = {{version}} AND p.log = 0
  LEFT JOIN read.account_standing_{{build}} a ON a.account_id = k.account_id
 WHERE s.secret_hash = $1
"""

KEYS = f"""
SELECT {KEY_COLUMNS}, k.position, d.*
  FROM ({VIEWS["api_key"]}) k
 CROSS JOIN LATERAL (
       SELECT coalesce(sum(cost_nusd), 0)::bigint,
              coalesce(sum(cost_nusd) FILTER (WHERE day >= $2), 0)::bigint,
              coalesce(sum(cost_nusd) FILTER (WHERE day >= $3), 0)::bigint,
              coalesce(sum(cost_nusd) FILTER (WHERE day >= $4), 0)::bigint,
              coalesce(sum(requests), 0)::bigint
         FROM read.api_key_day_{{build}} d WHERE d.key_id = k.key_id) d
 WHERE k.account_id = $1
"""

ONE_KEY = f"{KEYS} AND k.key_id = $5"

OPEN_KEYS = f"{KEYS} AND NOT k.is_revoked ORDER BY k.created_at, k.key_id"

ACCOUNT = f"""
SELECT {ACCOUNT_COLUMNS} FROM read.account_standing_{{build}} WHERE account_id = $1
"""

# Pages by the account's id, which begins with the time it was opened.
ACCOUNTS = f"""
SELECT {ACCOUNT_COLUMNS} FROM read.account_standing_{{build}}
 WHERE account_id > $1 ORDER BY account_id LIMIT $2
"""


class KeyWithSpending(NamedTuple):
    """`spending`: total, daily, weekly and monthly nUSD, requests; the windows are those at the time of the query."""

    key: ApiKey
    position: int
    spending: tuple[int, int, int, int, int]


async def find_key(reader: Reader, secret_hash: bytes) -> tuple[ApiKey, AccountState, int] | None:
    """The key, its account's state and the position of the read model, all from one snapshot."""
    rows = await reader.rows(FIND_KEY, [secret_hash])
    return (_key(rows[0]), rows[0][-2], rows[0][-1]) if rows else None


async def key(reader: Reader, account_id: str, key_id: str, now: datetime) -> KeyWithSpending | None:
    rows = await reader.rows(ONE_KEY, [account_id, *_windows(now), key_id])
    return _with_spending(rows[0]) if rows else None


async def keys(reader: Reader, account_id: str, now: datetime) -> Sequence[KeyWithSpending]:
    rows = await reader.rows(OPEN_KEYS, [account_id, *_windows(now)])
    return [_with_spending(row) for row in rows]


async def account(reader: Reader, account_id: str) -> Row | None:
    """ACCOUNT_STANDING's columns, in their order."""
    rows = await reader.rows(ACCOUNT, [account_id])
    return rows[0] if rows else None


async def accounts(reader: Reader, after: str, limit: int) -> Sequence[Row]:
    """As `account`, oldest first, the accounts after the id `after`."""
    return await reader.rows(ACCOUNTS, [after, limit])


def _windows(now: datetime) -> Sequence[object]:
    return [window_start("daily", now), window_start("weekly", now), window_start("monthly", now)]


def _with_spending(row: Row) -> KeyWithSpending:
    *_, position, total, daily, weekly, monthly, requests = row
    return KeyWithSpending(_key(row), position, (total, daily, weekly, monthly, requests))


def _key(row: Row) -> ApiKey:
    """The aggregate's state from a row that begins with KeyRow's columns: its rules are used, not copied."""
    key = KeyRow._make(row[:KEY_WIDTH])
    return ApiKey(
        key_id=key.key_id,
        account_id=key.account_id,
        kind=key.kind,
        environment=key.environment,
        secret=Secret(key.secret_hash, key.last4),
        settings=KeySettings(
            label=key.label,
            disabled=key.is_disabled,
            limit=_limit(key),
            expires_at=key.expires_at,
        ),
        old_secret=_old_secret(key),
        old_until=key.old_until or GENESIS,
        revoked=key.is_revoked,
        issued_at=key.created_at,
        changed_at=key.updated_at,
    )


def _limit(key: KeyRow) -> KeyLimit | None:
    if key.limit_nusd is None or key.limit_window is None:
        return None
    return KeyLimit(key.limit_nusd, key.limit_window)


def _old_secret(key: KeyRow) -> Secret | None:
    if key.old_secret_hash is None or key.old_last4 is None:
        return None
    return Secret(key.old_secret_hash, key.old_last4)
