"""A turn on a contended stream: while a process holds it, no other process appends to the stream
(docs/explanation/architecture.md#the-write-path)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg

from adapters.outbound.postgres.wire.ask_server import WireConnection

TURN_TIMEOUT_MS = 2_000
"""A stopped holder loses its turn after this; if its append still arrives, the version check applies to it."""

TURN_WAIT_MS = 100
"""Running appends on the stream end within a few ms; a slower holder must not delay other streams."""

SETTINGS = (
    f"SELECT set_config('idle_in_transaction_session_timeout', '{TURN_TIMEOUT_MS}', false),"
    f" set_config('lock_timeout', '{TURN_WAIT_MS}', false)"
)
LOCK = "SELECT pg_advisory_xact_lock(ledger.stream_lock_key($1::text))"
TURN_ANSWER_S = 2.0


class StreamLocks:
    """Turns have their own connection, so that the server can end the turn of a stopped process."""

    def __init__(self, info: str) -> None:
        self._info = info
        self._connection: WireConnection | None = None

    @asynccontextmanager
    async def take(self, stream: str) -> AsyncIterator[bool]:
        """Yields False if another session kept the turn all the time.

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
