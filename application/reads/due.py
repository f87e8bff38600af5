"""Reservations and lots that are due to expire, as the read models have them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol


class DueReads(Protocol):
    """At most `limit` of each, longest overdue first."""

    async def reservations(self, now: datetime, limit: int) -> Sequence[tuple[str, str]]:
        """(account id, reservation id) of open reservations past their expiry."""
        ...

    async def lots(self, now: datetime, limit: int) -> Sequence[tuple[str, str]]:
        """(account id, lot id) of lots past their expiry with credit left."""
        ...
