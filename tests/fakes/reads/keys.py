from collections.abc import Sequence
from datetime import datetime

from application.reads.keys import FoundKey, KeyRecord, KeySpending
from domain.api_key.api_key import API_KEY, ApiKey
from domain.window import Window, window_start
from projections.api_key import project
from tests.fakes.reads.tables import ReplayedTables


class MemoryKeyReads:
    """What a key is, its own stream says: the tables find it, and know what it spent."""

    def __init__(self, tables: ReplayedTables) -> None:
        self._tables = tables

    async def with_secret(self, secret_hash: bytes) -> FoundKey | None:
        row = self._tables.row(project.API_KEY_SECRET, secret_hash=secret_hash)
        if row is None:
            return None
        key = self._key(row["key_id"])
        account = self._tables.row(project.ACCOUNT_STANDING, account_id=key.account_id)
        return FoundKey(key, account["state"] if account else "closed", len(self._tables.log))

    async def find(self, account_id: str, key_id: str, now: datetime) -> KeyRecord | None:
        row = self._tables.row(project.API_KEY, account_id=account_id, key_id=key_id)
        return self._record(key_id, row["position"], now) if row else None

    async def of_account(self, account_id: str, now: datetime) -> Sequence[KeyRecord]:
        rows = self._tables.rows(project.API_KEY, account_id=account_id, is_revoked=False)
        rows.sort(key=lambda row: (row["created_at"], row["key_id"]))
        return [self._record(row["key_id"], row["position"], now) for row in rows]

    def _record(self, key_id: str, position: int, now: datetime) -> KeyRecord:
        days = self._tables.rows(project.API_KEY_DAY, key_id=key_id)

        def spent(window: Window) -> int:
            return sum(day["cost_nusd"] for day in days if day["day"] >= window_start(window, now))

        requests = sum(day["requests"] for day in days)
        spending = KeySpending(spent("total"), spent("daily"), spent("weekly"), spent("monthly"), requests)
        return KeyRecord(self._key(key_id), spending, position)

    def _key(self, key_id: str) -> ApiKey:
        stream = API_KEY.stream(key_id)
        return API_KEY.fold(API_KEY.initial, [each.event for each in self._tables.log if each.stream == stream])
