"""Implements application.reads.keys."""

from collections.abc import Sequence
from datetime import datetime

from adapters.outbound.postgres.read.ask_builds import AskBuilds
from application.reads.keys import FoundKey, KeyRecord, KeySpending
from projections.api_key import queries


class PostgresKeyReads:
    def __init__(self, builds: AskBuilds) -> None:
        self._builds = builds

    async def with_secret(self, secret_hash: bytes) -> FoundKey | None:
        found = await self._builds.ask(queries.find_key, secret_hash)
        return FoundKey(*found) if found else None

    async def find(self, account_id: str, key_id: str, now: datetime) -> KeyRecord | None:
        found = await self._builds.ask(queries.key, account_id, key_id, now)
        return _record(found) if found else None

    async def of_account(self, account_id: str, now: datetime) -> Sequence[KeyRecord]:
        found = await self._builds.ask(queries.keys, account_id, now)
        return [_record(one) for one in found]


def _record(found: queries.KeyWithSpending) -> KeyRecord:
    return KeyRecord(found.key, KeySpending(*found.spending), found.position)
