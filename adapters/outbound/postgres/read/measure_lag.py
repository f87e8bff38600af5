"""Measures how far the read models are behind the log, for metrics and readiness."""

from adapters.outbound.postgres.builds.builds_in_use import rows_in_use
from adapters.outbound.postgres.read.positions import position_sql
from projections.engine.changes import Projection
from projections.engine.reader import Reader
from projections.engine.registry import BUILDS

LAG = """
SELECT coalesce(extract(epoch FROM clock_timestamp() - e.recorded_at), 0)::float8
  FROM ({position}) p (position)
  LEFT JOIN ledger.stored_events e ON e.notification_id = p.position + 1
"""


async def projection_lag_s(reader: Reader, known: tuple[Projection, ...] = BUILDS) -> float:
    """Age of the oldest event that some build in use does not hold yet; 0 if all hold everything.

    Raises: psycopg.Error, NotBuilt among them.
    """
    rows = await rows_in_use(reader, LAG.format(position=position_sql(known)))
    return max(0.0, float(rows[0][0]))
