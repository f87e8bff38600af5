"""The system's clock and source of randomness (application.ports.clock.Clock and Ids)."""

import secrets
import time
from datetime import UTC, datetime
from uuid import UUID

from uuid_utils.compat import uuid7

SECRET_BYTES = 32
"""256 bits: 43 url-safe characters (docs/reference/rules.md#keys)."""


class SystemClock:
    elapsed_s = staticmethod(time.monotonic)  # the C function itself: a Python frame would cost for every chunk

    def now(self) -> datetime:
        return datetime.now(UTC)


class SystemIds:
    def new(self) -> UUID:
        return uuid7()

    def secret(self) -> str:
        return secrets.token_urlsafe(SECRET_BYTES)
