"""How far the read models are."""

from collections.abc import Sequence
from typing import Protocol

PATIENCE_S = 1.0
"""How long a reader waits for its own newest events by default (docs/explanation/projections.md)."""


class PositionReads(Protocol):
    """The read models are some 50 ms behind the log: `wait_for` a position to read your own writes."""

    async def last_of(self, streams: Sequence[str]) -> int:
        """Position of the newest event of `streams` in the log itself; 0 if there is none."""
        ...

    async def wait_for(self, position: int, timeout_s: float) -> bool:
        """Wait until every read model holds the log up to `position`; False if it does not within `timeout_s`, which is
        also the answer while the read models cannot be asked."""
        ...

    async def wait_for_account(self, account_id: str, timeout_s: float = PATIENCE_S) -> bool:
        """For reads without a position: wait for the newest event of the account's streams at the time of the call."""
        ...
