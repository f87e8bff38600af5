"""A turn on a contended stream: while one holds it, everybody else's appends leave the stream alone
(docs/explanation/architecture.md#the-write-path)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg

from adapters.outbound.postgres.wire.ask_server import WireConnection

TURN_TIMEOUT_MS = 2_000
"""A holder that is stopped loses its turn after this; its append, should it still come, is version-checked like any."""

TURN_WAIT_MS = 100
"""Appends under way on the stream are through in a few ms; a holder that takes longer must not keep us from others."""

SETTINGS = (
    f"SELECT set_config('idle_in_transaction_session_timeout', '{TURN_TIMEOUT_MS}', false),"
    f" set_config('lock_timeout', '{TURN_WAIT_MS}', false)"
)
LOCK = "SELECT pg_advisory_xact_lock(ledger.stream_lock_key($1::text))"
TURN_ANSWER_S = 2.0


class StreamLocks:
    """Turns are held on a connection of their own, so that the server can end those of a holder that is stopped."""

    def __init__(self, info: str) -> None:
        self._info = info
        self._connection: WireConnection | None = None

    @asynccontextmanager
    async def take(self, stream: str) -> AsyncIterator[bool]:
        """Yields False if somebody else has had the turn all along.

        Raises: TimeoutError, psycopg.OperationalError when the database is out of reach.
        """
        connection = await self._open()
        await connection.ask("BEGIN", [], TURN_ANSWER_S)
        try:
            try:
                await connection.ask(LOCK, [stream.encode()], TURN_ANSWER_S)
                is_ours = True
            except psycopg.errors.LockNotAvailable:
                is_ours = False
            yield is_ours
        finally:
            await self._end(connection)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    async def _open(self) -> WireConnection:
        if self._connection is None or self._connection.is_closed:
            self._connection = await WireConnection.open(self._info)
            await self._connection.ask(SETTINGS, [], TURN_ANSWER_S)
        return self._connection

    async def _end(self, connection: WireConnection) -> None:
        """A connection that does not answer is closed, which ends the turn as well."""
        try:
            await connection.ask("ROLLBACK", [], TURN_ANSWER_S)
        except (psycopg.Error, TimeoutError):
            connection.close()
