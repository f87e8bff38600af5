"""The machine's own clock, which a test may move, and names from its randomness."""

import secrets
import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

import uuid_utils.compat


class SystemClock:
    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def elapsed_s(self) -> float:
        return time.monotonic()


class SystemIds:
    def new(self) -> UUID:
        found: UUID = uuid_utils.compat.uuid7()
        return found

    def secret(self) -> str:
        return secrets.token_urlsafe(32)
