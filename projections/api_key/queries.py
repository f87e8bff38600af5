"""Questions about keys and the standing of accounts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from domain.account.events import AccountState
from domain.api_key.api_key import ApiKey
from domain.api_key.events import KeySettings, Secret
from domain.event import GENESIS
from domain.window import KeyLimit, window_start
from projections.engine.reader import Reader
from projections.engine.views import views_of

VIEWS = views_of(__package__)

KEY_COLUMNS = (
    "k.key_id, k.account_id, k.kind, k.environment, k.secret_hash, k.last4, k.label, k.is_disabled, k.limit_nusd,"
    " k.limit_window, k.expires_at, k.old_secret_hash, k.old_last4, k.old_until, k.is_revoked,"
    " k.created_at, k.updated_at"
)

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

ACCOUNT = """
SELECT account_id, state, username, email, opened_at, position FROM read.account_standing_{build} WHERE account_id = $1
"""

# Pages by the account's id, which begins with the time it was opened.
ACCOUNTS = """
SELECT account_id, state, username, email, opened_at, position FROM read.account_standing_{build}
 WHERE account_id > $1 ORDER BY account_id LIMIT $2
"""


class KeyWithSpending(NamedTuple):
    """`spending`: total, daily, weekly and monthly nUSD, requests; the windows are those of the time of asking."""

    key: ApiKey
    position: int
    spending: tuple[int, int, int, int, int]


async def find_key(reader: Reader, secret_hash: bytes) -> tuple[ApiKey, AccountState, int] | None:
    """The key, its account's state and where the read model stands, all of one snapshot."""
    rows = await reader.rows(FIND_KEY, [secret_hash])
    return (_key(rows[0]), rows[0][-2], rows[0][-1]) if rows else None


async def key(reader: Reader, account_id: str, key_id: str, now: datetime) -> KeyWithSpending | None:
    rows = await reader.rows(ONE_KEY, [account_id, *_windows(now), key_id])
    return _with_spending(rows[0]) if rows else None


async def keys(reader: Reader, account_id: str, now: datetime) -> Sequence[KeyWithSpending]:
    rows = await reader.rows(OPEN_KEYS, [account_id, *_windows(now)])
    return [_with_spending(row) for row in rows]


async def account(reader: Reader, account_id: str) -> tuple[Any, ...] | None:
    """account_id, state, username, email, opened_at, position."""
    rows = await reader.rows(ACCOUNT, [account_id])
    return rows[0] if rows else None


async def accounts(reader: Reader, after: str, limit: int) -> Sequence[tuple[Any, ...]]:
    """As `account`, oldest first, those behind `after`."""
    return await reader.rows(ACCOUNTS, [after, limit])


def _windows(now: datetime) -> Sequence[Any]:
    return [window_start("daily", now), window_start("weekly", now), window_start("monthly", now)]


def _with_spending(row: tuple[Any, ...]) -> KeyWithSpending:
    *_, position, total, daily, weekly, monthly, requests = row
    return KeyWithSpending(_key(row), position, (total, daily, weekly, monthly, requests))


def _key(row: tuple[Any, ...]) -> ApiKey:
    """KEY_COLUMNS as the aggregate's own state, so that its rules (who opens, who is refused) are asked, not copied."""
    key_id, account_id, kind, environment, secret_hash, last4, label, disabled, limit_nusd, window = row[:10]
    expires_at, old_hash, old_last4, old_until, revoked, created_at, updated_at = row[10:17]
    return ApiKey(
        key_id=key_id,
        account_id=account_id,
        kind=kind,
        environment=environment,
        secret=Secret(secret_hash, last4),
        settings=KeySettings(
            label=label,
            disabled=disabled,
            limit=KeyLimit(limit_nusd, window) if limit_nusd is not None else None,
            expires_at=expires_at,
        ),
        old_secret=Secret(old_hash, old_last4) if old_hash is not None else None,
        old_until=old_until or GENESIS,
        revoked=revoked,
        issued_at=created_at,
        changed_at=updated_at,
    )
