"""Runs a schema change in one transaction, and tries again while other sessions hold its locks."""

import time
from collections.abc import Callable

import psycopg

CHANGE_LOCK_TIMEOUT = "2s"
"""Later requests wait behind a waiting schema change: at most this long."""

CHANGE_TRIES = 20
"""20 tries of 2 s with pauses up to 5 s: a migration waits about two minutes for long readers, then gives up."""


def retry_locked(connection: psycopg.Connection, change: Callable[[], None]) -> None:
    """Run `change` in a transaction of `connection` that waits for no lock longer than CHANGE_LOCK_TIMEOUT.

    Raises: psycopg.errors.LockNotAvailable if CHANGE_TRIES tries failed with it; any other error at once.
    """
    for attempt in range(CHANGE_TRIES):
        try:
            with connection.transaction():
                connection.execute(f"SET LOCAL lock_timeout = '{CHANGE_LOCK_TIMEOUT}'")
                change()
            return
        except psycopg.errors.LockNotAvailable:
            if attempt == CHANGE_TRIES - 1:
                raise
            time.sleep(min(0.1 * 2**attempt, 5.0))
