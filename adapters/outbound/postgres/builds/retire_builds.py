"""Drops builds that no release in use needs any more: no process reads or writes them, now or later.

A build is retired if its version is lower than all versions of that read model that this release ships.
Until then it stays current, for readers of the previous release and for switching back.
"""

from collections.abc import Sequence
from typing import NamedTuple

import psycopg
import structlog
from psycopg import sql

from adapters.outbound.postgres.builds.lead_builds import is_led
from domain.log import LOG_ID
from projections.engine.changes import Projection

RETIRE_LOCK_TIMEOUT = "500ms"
"""If another session still reads the table, which nothing of ours names any more, it is dropped another time."""

DROPPABLE = b"""
SELECT b.projection, b.version, b.tables, b.views
  FROM read.builds b
  JOIN read.active a ON a.projection = b.projection AND a.log = %s
  JOIN unnest(%s::text[], %s::int[]) l (projection, lowest) ON l.projection = b.projection
 WHERE b.version < l.lowest AND b.version < a.version
 ORDER BY b.projection, b.version
"""

FORGET_OLD_ROWS = b"VACUUM (FREEZE) read.active"
"""Rows that a snapshot may still see cannot be frozen, so `relfrozenxid` then shows which snapshots may be open."""

IS_SEEN = b"""
SELECT age(c.relfrozenxid) >= age(a.xmin)
  FROM pg_class c, read.active a
 WHERE c.oid = 'read.active'::regclass AND a.projection = %s AND a.log = %s
"""
"""Whether a snapshot of any role on any connection in this database may be older than the switch (the row's
transaction) and so see another build in use."""

FORGET = (
    b"DELETE FROM read.positions WHERE projection = %s AND version = %s",
    b"DELETE FROM read.parked WHERE projection = %s AND version = %s",
    b"DELETE FROM read.builds WHERE projection = %s AND version = %s",
)

log = structlog.get_logger()


class _Old(NamedTuple):
    projection: str
    version: int
    tables: list[str]
    views: list[str]


def retire_builds(connection: psycopg.Connection, builds: Sequence[Projection]) -> list[tuple[str, int]]:
    """Drop the builds that can be dropped now and return them; the next call tries the others again.

    connection: autocommit, of the owner of schema `read`.
    builds:     all that this release ships.
    """
    lowest = {build.name: build.version for build in sorted(builds, key=lambda build: -build.version)}
    rows = connection.execute(DROPPABLE, [LOG_ID, list(lowest), list(lowest.values())]).fetchall()
    old = [_Old(*row) for row in rows]
    if not old:
        return []
    connection.execute(FORGET_OLD_ROWS, prepare=False)
    return [(build.projection, build.version) for build in old if _drop(connection, build)]


def _drop(connection: psycopg.Connection, build: _Old) -> bool:
    try:
        with connection.transaction():
            if connection.execute(IS_SEEN, [build.projection, LOG_ID]).fetchone() != (False,):
                return False
            if is_led(connection, build.projection, build.version):
                return False
            connection.execute(f"SET LOCAL lock_timeout = '{RETIRE_LOCK_TIMEOUT}'".encode())
            for view in _left_over(connection, build):
                connection.execute(sql.SQL("DROP VIEW {}").format(sql.Identifier("read", view)))
            for table in build.tables:
                connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier("read", table)))
            for statement in FORGET:
                connection.execute(statement, [build.projection, build.version])
    except (psycopg.errors.LockNotAvailable, psycopg.errors.DependentObjectsStillExist) as error:
        log.warning("an old build is still used", read_model=build.projection, version=build.version, error=str(error))
        return False
    log.info("an old build is dropped", read_model=build.projection, version=build.version)
    return True


LEFT_OVER = b"""
SELECT c.relname FROM pg_class c
 WHERE c.relnamespace = 'read'::regnamespace AND c.relkind = 'v' AND c.relname = ANY (%s)
   AND NOT EXISTS (SELECT FROM read.builds o WHERE c.relname = ANY (o.views) AND (o.projection, o.version) <> (%s, %s))
"""


def _left_over(connection: psycopg.Connection, build: _Old) -> list[str]:
    """Those of its views for people that no other build has."""
    rows = connection.execute(LEFT_OVER, [build.views, build.projection, build.version])
    return [name for (name,) in rows]
