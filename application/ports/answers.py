"""Answers kept for idempotent retries."""

from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec


class StoredAnswer(msgspec.Struct, frozen=True):
    """An answer kept for idempotent retries, sealed under the account's data key, written with its settle."""

    account_id: str
    command_id: UUID
    sealed: bytes
    expires_at: datetime


class AnswerStore(Protocol):
    """Answers kept for idempotent retries. Written only by the ledger, inside a settle's transaction."""

    async def find(self, command_id: UUID, now: datetime) -> bytes | None:
        """The sealed answer, or None if it was never stored or has expired."""
        ...
