"""Every data key wrapped again, in small steps: it may be interrupted and repeated, beside running processes."""

from collections.abc import Callable
from typing import Any, NamedTuple

import psycopg

PAGE = 500
"""Rows that are read, and locked one after the other, at a time: a step takes milliseconds."""

NEXT = "SELECT account_id, wrapped FROM ledger.data_keys WHERE account_id > %s ORDER BY account_id LIMIT %s"
REPLACE = "UPDATE ledger.data_keys SET wrapped = %s WHERE account_id = %s AND wrapped = %s"
"""What was erased or wrapped by another in between is left as it is."""

Rewrap = Callable[[str, bytes], bytes | None]


class Rewrapped(NamedTuple):
    """accounts: whose keys were looked at; changed: those that were wrapped anew."""

    accounts: int
    changed: int


def rewrap_data_keys(info: str, rewrap: Rewrap) -> Rewrapped:
    """info: the owner's: no role of a process may change a data key.
    rewrap:  from account id and wrapped key to the one that shall replace it, None to leave it.

    Raises: what `rewrap` raises; what was done until then stays done.
    """
    accounts = changed = 0
    last = ""
    with psycopg.connect(info, autocommit=True) as connection:
        while rows := connection.execute(NEXT, [last, PAGE]).fetchall():
            changed += sum(_replaced(connection, account_id, bytes(wrapped), rewrap) for account_id, wrapped in rows)
            accounts += len(rows)
            last = rows[-1][0]
    return Rewrapped(accounts, changed)


def _replaced(connection: psycopg.Connection[Any], account_id: str, wrapped: bytes, rewrap: Rewrap) -> int:
    fresh = rewrap(account_id, wrapped)
    return 0 if fresh is None else connection.execute(REPLACE, [fresh, account_id, wrapped]).rowcount
