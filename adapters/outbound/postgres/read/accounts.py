"""Implements application.reads.accounts."""

from collections.abc import Sequence

from adapters.outbound.postgres.read.ask_builds import AskBuilds
from application.reads.accounts import AccountRecord
from projections.api_key import queries


class PostgresAccountReads:
    def __init__(self, builds: AskBuilds) -> None:
        self._builds = builds

    async def find(self, account_id: str) -> AccountRecord | None:
        found = await self._builds.ask(queries.account, account_id)
        return AccountRecord(*found) if found else None

    async def page(self, after: str, limit: int) -> Sequence[AccountRecord]:
        found = await self._builds.ask(queries.accounts, after, limit)
        return [AccountRecord(*one) for one in found]
