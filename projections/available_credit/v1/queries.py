"""Queries about an account's credit, and about lots and reservations due to expire."""

from collections.abc import Sequence
from datetime import datetime

from projections.engine.reader import NamedRow, Reader, Row
from projections.engine.views import views_of

VIEWS = views_of(__package__)

CREDIT_COLUMNS = (
    "account_id",
    "granted_nusd",
    "settled_nusd",
    "expired_nusd",
    "posted_nusd",
    "held_nusd",
    "shortfall_nusd",
    "open_reservations",
    "position",
)

LOT_COLUMNS = (
    "lot_id",
    "kind",
    "priority",
    "granted_nusd",
    "burnt_nusd",
    "expired_nusd",
    "held_nusd",
    "granted_at",
    "expires_at",
    "source",
    "reason",
    "position",
)

CREDITS = f"""
SELECT {", ".join(f"c.{name}" for name in CREDIT_COLUMNS)},
       (SELECT min(k.position) FROM read.parked k
         WHERE k.account = $1 AND k.projection = 'available_credit' AND k.version = {{version}})
  FROM ({VIEWS["available_credit"]}) c WHERE c.account_id = $1
"""

PARKED = """
SELECT min(position) FROM read.parked WHERE account = $1 AND projection = 'available_credit' AND version = {version}
"""

LOTS = f"SELECT {', '.join(LOT_COLUMNS)} FROM ({VIEWS['credit_lot']}) l WHERE account_id = $1 ORDER BY position"

DUE_RESERVATIONS = """
SELECT account_id, reservation_id FROM read.open_hold_{build}
 WHERE expires_at <= $1 GROUP BY account_id, reservation_id ORDER BY min(expires_at), min(position) LIMIT $2
"""

# The conditions are those of the index: burnt-out lots are not in it, so a query that finds nothing is cheap.
DUE_LOTS = """
SELECT account_id, lot_id FROM read.credit_lot_{build}
 WHERE expires_at <= $1 AND expires_at IS NOT NULL AND NOT is_taken_back AND granted_nusd > burnt_nusd + expired_nusd
 ORDER BY expires_at LIMIT $2
"""

OPEN_RESERVATIONS = "SELECT count(DISTINCT (account_id, reservation_id)) FROM read.open_hold_{build}"


async def credits_of(reader: Reader, account_id: str) -> NamedRow:
    """CREDIT_COLUMNS and not_provable_beyond; without credit events only account_id and not_provable_beyond."""
    rows = await reader.rows(CREDITS, [account_id])
    if rows:
        return dict(zip((*CREDIT_COLUMNS, "not_provable_beyond"), rows[0], strict=True))
    parked = await reader.rows(PARKED, [account_id])
    return {"account_id": account_id, "not_provable_beyond": parked[0][0]}


async def lots_of(reader: Reader, account_id: str) -> Sequence[NamedRow]:
    """In order of their grants."""
    rows = await reader.rows(LOTS, [account_id])
    return [dict(zip(LOT_COLUMNS, row, strict=True)) for row in rows]


async def due_reservations(reader: Reader, now: datetime, limit: int) -> Sequence[Row]:
    return await reader.rows(DUE_RESERVATIONS, [now, limit])


async def due_lots(reader: Reader, now: datetime, limit: int) -> Sequence[Row]:
    return await reader.rows(DUE_LOTS, [now, limit])


async def open_reservations(reader: Reader) -> int:
    rows = await reader.rows(OPEN_RESERVATIONS)
    return int(rows[0][0])
