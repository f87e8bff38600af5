import msgspec

from application.reads.statements import LotRecord, Statement
from projections.available_credit.project import CREDIT_LOT, OPEN_HOLD
from tests.fakes.reads.credits import MemoryCreditReads
from tests.fakes.reads.generations import MemoryGenerationReads
from tests.fakes.reads.tables import ReplayedTables, Row


class MemoryStatementReads:
    def __init__(self, tables: ReplayedTables) -> None:
        self._tables = tables

    async def of_account(self, account_id: str, limit: int) -> Statement:
        lots = sorted(self._tables.rows(CREDIT_LOT, account_id=account_id), key=lambda row: int(row["position"]))
        requests = list(MemoryGenerationReads(self._tables).of_account(account_id))
        credits = await MemoryCreditReads(self._tables).of_account(account_id)
        return Statement(credits, [self._lot(row) for row in lots], requests[-limit:], len(self._tables.log))

    def _lot(self, row: Row) -> LotRecord:
        holds = self._tables.rows(OPEN_HOLD, account_id=row["account_id"], lot_id=row["lot_id"])
        return msgspec.convert({**row, "held_nusd": sum(hold["amount_nusd"] for hold in holds)}, LotRecord)
