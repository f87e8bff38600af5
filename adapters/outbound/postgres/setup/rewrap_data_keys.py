"""Wraps every data key again, in small steps: it may be interrupted and repeated, while other processes run."""

from collections.abc import Callable
from typing import NamedTuple

import psycopg

PAGE = 500
"""Rows per step, which are locked one after the other: a step takes milliseconds."""

NEXT = "SELECT account_id, wrapped FROM ledger.data_keys WHERE account_id > %s ORDER BY account_id LIMIT %s"
REPLACE = "UPDATE ledger.data_keys SET wrapped = %s WHERE account_id = %s AND wrapped = %s"
"""A key that was erased or wrapped by another process in between is left unchanged."""

Rewrap = Callable[[str, bytes], bytes | None]


class Rewrapped(NamedTuple):
    """accounts: number of keys read; changed: number of keys wrapped again."""

    accounts: int
    changed: int


def rewrap_data_keys(info: str, rewrap: Rewrap) -> Rewrapped:
    """info:    of the owner, since no role of a process may change a data key.
    rewrap:  takes account id and wrapped key; returns the new wrapped key, or None to keep the old one.

    Raises: any error of `rewrap`; keys changed before it stay changed.
    """
    accounts = changed = 0
    last = ""
    with psycopg.connect(info, autocommit=True) as connection:
        while rows := connection.execute(NEXT, [last, PAGE]).fetchall():
            changed += sum(_replaced(connection, account_id, bytes(wrapped), rewrap) for account_id, wrapped in rows)
            accounts += len(rows)
            last = rows[-1][0]
    return Rewrapped(accounts, changed)


def _replaced(connection: psycopg.Connection, account_id: str, wrapped: bytes, rewrap: Rewrap) -> int:
    fresh = rewrap(account_id, wrapped)
    return 0 if fresh is None else connection.execute(REPLACE, [fresh, account_id, wrapped]).rowcount
