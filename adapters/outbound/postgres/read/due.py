"""Implements application.reads.due."""

from collections.abc import Sequence
from datetime import datetime

from adapters.outbound.postgres.read.ask_builds import AskBuilds
from projections.available_credit import queries


class PostgresDueReads:
    def __init__(self, builds: AskBuilds) -> None:
        self._builds = builds

    async def reservations(self, now: datetime, limit: int) -> Sequence[tuple[str, str]]:
        due = await self._builds.ask(queries.due_reservations, now, limit)
        return [(account_id, reservation_id) for account_id, reservation_id in due]

    async def lots(self, now: datetime, limit: int) -> Sequence[tuple[str, str]]:
        due = await self._builds.ask(queries.due_lots, now, limit)
        return [(account_id, lot_id) for account_id, lot_id in due]
