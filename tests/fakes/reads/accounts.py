from collections.abc import Sequence

from application.reads.accounts import AccountRecord
from projections.api_key.project import ACCOUNT_STANDING
from tests.fakes.reads.tables import ReplayedTables


class MemoryAccountReads:
    def __init__(self, tables: ReplayedTables) -> None:
        self._tables = tables

    async def find(self, account_id: str) -> AccountRecord | None:
        row = self._tables.row(ACCOUNT_STANDING, account_id=account_id)
        return AccountRecord(**row) if row else None

    async def page(self, after: str, limit: int) -> Sequence[AccountRecord]:
        rows = sorted(self._tables.rows(ACCOUNT_STANDING), key=lambda row: str(row["account_id"]))
        return [AccountRecord(**row) for row in rows if row["account_id"] > after][:limit]
