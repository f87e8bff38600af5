"""Finds the session that holds the lock of a stream."""

from projections.engine.reader import Reader

HOLDER = """
SELECT l.pid, coalesce(a.usename::text, '')
  FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
 WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND l.mode = 'ExclusiveLock'
   AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
   AND (l.classid::bigint << 32) | l.objid::bigint = ledger.stream_lock_key($1::text)
 LIMIT 1
"""


async def holder_of_stream(reader: Reader, stream: str) -> tuple[int, str] | None:
    """(process id of the session, role it logged in as); None if no session holds it."""
    rows = await reader.rows(HOLDER, [stream])
    return (int(rows[0][0]), str(rows[0][1])) if rows else None
