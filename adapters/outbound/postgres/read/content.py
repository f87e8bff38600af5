"""Data keys and stored answers, which are kept beside the log and may be dropped."""

from datetime import datetime
from uuid import UUID

from psycopg_pool import AsyncConnectionPool


class PostgresDataKeys:
    """Wrapped data keys; the writer role may add and read, only the owner may drop them."""

    def __init__(self, pool: AsyncConnectionPool) -> None:
        self._pool = pool

    async def put(self, account_id: str, wrapped: bytes) -> None:
        async with self._pool.connection() as connection:
            await connection.execute("SELECT ledger.put_data_key(%s, %s)", [account_id, wrapped])

    async def get(self, account_id: str) -> bytes | None:
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT wrapped FROM ledger.data_keys WHERE account_id = %s", [account_id]
            )
            row = await cursor.fetchone()
        return bytes(row[0]) if row else None


class PostgresAnswers:
    """Answers stored for idempotent retries (application.ports.answers.AnswerStore)."""

    def __init__(self, pool: AsyncConnectionPool) -> None:
        self._pool = pool

    async def find(self, command_id: UUID, now: datetime) -> bytes | None:
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT sealed FROM content.answers WHERE command_id = %s AND expires_at > %s", [command_id, now]
            )
            row = await cursor.fetchone()
        return bytes(row[0]) if row else None
