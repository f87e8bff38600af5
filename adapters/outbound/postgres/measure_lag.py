"""How far the read models are behind the log, for metrics and readiness."""

from projections.reader import Reader

LAG = """
SELECT coalesce(extract(epoch FROM clock_timestamp() - e.recorded_at), 0)::float8
  FROM (SELECT coalesce(min(position), 0) AS position FROM read.positions WHERE log = 0) p
  LEFT JOIN ledger.stored_events e ON e.notification_id = p.position + 1
"""


async def projection_lag_s(reader: Reader) -> float:
    """Age of the oldest event that some read model does not hold yet; 0 if all hold everything.

    Raises: psycopg.Error, also before the projector's first start has made the tables.
    """
    rows = await reader.rows(LAG)
    return max(0.0, float(rows[0][0]))
