"""Chooses the projector process that expires reservations and lots: its session holds an advisory lock."""

import asyncio

import psycopg

from adapters.outbound.postgres.wire.connection import connect
from adapters.outbound.postgres.wire.locks import LEAD_EXPIRY

ASK_TIMEOUT_S = 5.0


class ExpiryLead:
    """Held as long as its session lives; PostgreSQL frees it however the process ends."""

    def __init__(self, info: str) -> None:
        self._info = info
        self._connection: psycopg.AsyncConnection | None = None
        self._is_taken = False

    async def is_ours(self) -> bool:
        """Take it if it is free. Raises: psycopg.OperationalError or TimeoutError while the database is away."""
        async with asyncio.timeout(ASK_TIMEOUT_S):
            if self._connection is None or self._connection.closed:
                self._is_taken = False
                self._connection = await connect(self._info)
            question = "SELECT true" if self._is_taken else f"SELECT pg_try_advisory_lock({LEAD_EXPIRY})"
            row = await (await self._connection.execute(question.encode())).fetchone()
        self._is_taken = bool(row and row[0])
        return self._is_taken

    def close(self) -> None:
        if self._connection is not None:
            self._connection.pgconn.finish()
