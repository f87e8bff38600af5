from application.reads.credits import Credits
from projections.available_credit.project import CREDIT_ACCOUNT, OPEN_HOLD
from tests.fakes.reads.tables import ReplayedTables


class MemoryCreditReads:
    """Parks nothing: `not_provable_beyond` is always None."""

    def __init__(self, tables: ReplayedTables) -> None:
        self._tables = tables

    async def of_account(self, account_id: str) -> Credits:
        row = self._tables.row(CREDIT_ACCOUNT, account_id=account_id)
        return Credits(**row) if row else Credits(account_id=account_id)

    async def open_reservations(self) -> int:
        return len({(row["account_id"], row["reservation_id"]) for row in self._tables.rows(OPEN_HOLD)})
