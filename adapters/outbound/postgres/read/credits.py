"""Implements application.reads.credits."""

from adapters.outbound.postgres.read.ask_builds import AskBuilds
from application.reads.credits import Credits
from projections.available_credit import queries


class PostgresCreditReads:
    def __init__(self, builds: AskBuilds) -> None:
        self._builds = builds

    async def of_account(self, account_id: str) -> Credits:
        return Credits(**await self._builds.ask(queries.credits_of, account_id))

    async def open_reservations(self) -> int:
        return await self._builds.ask(queries.open_reservations)
