from collections.abc import Sequence
from datetime import datetime

from projections.available_credit.project import CREDIT_LOT, OPEN_HOLD
from tests.fakes.reads.tables import ReplayedTables, Row


class MemoryDueReads:
    def __init__(self, tables: ReplayedTables) -> None:
        self._tables = tables

    async def reservations(self, now: datetime, limit: int) -> Sequence[tuple[str, str]]:
        """A lot that only an extension holds has no expiry of its own."""
        holds = [row for row in self._tables.rows(OPEN_HOLD) if row["expires_at"] and row["expires_at"] <= now]
        holds.sort(key=lambda row: (row["expires_at"], row["position"]))
        return list(dict.fromkeys((row["account_id"], row["reservation_id"]) for row in holds))[:limit]

    async def lots(self, now: datetime, limit: int) -> Sequence[tuple[str, str]]:
        due = [row for row in self._tables.rows(CREDIT_LOT) if _is_due(row, now)]
        due.sort(key=lambda row: row["expires_at"])
        return [(row["account_id"], row["lot_id"]) for row in due[:limit]]


def _is_due(lot: Row, now: datetime) -> bool:
    is_over = lot["expires_at"] is not None and lot["expires_at"] <= now
    return is_over and not lot["is_taken_back"] and lot["granted_nusd"] > lot["burnt_nusd"] + lot["expired_nusd"]
