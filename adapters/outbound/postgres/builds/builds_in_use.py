"""Which build of a read model its readers use: the active one in each reader's own snapshot.

`read.active` names one build for each read model. Tables that readers name are never replaced: a reader
pinned to a moment before a switch still finds that moment's row and the tables that the row names.
"""

from collections.abc import Sequence
from functools import cache

import psycopg
from psycopg.rows import TupleRow

from domain.log import LOG_ID
from projections.engine.changes import Projection
from projections.engine.reader import Reader
from projections.engine.registry import for_build


class AnotherBuild(Exception):
    """The statement was for a build that is no longer in use; `version` is that of the build in use."""

    def __init__(self, version: int) -> None:
        super().__init__(version)
        self.version = version


class NotBuilt(psycopg.OperationalError):
    """No build of a read model is in use yet: the projector is still building the first one. Try again later."""


def not_built(name: str) -> NotBuilt:
    return NotBuilt(f"read model {name} is not built yet")


@cache
def in_use_sql(known: tuple[Projection, ...]) -> str:
    """SELECT (projection, version, position) of the builds in use, among those that this release knows.

    If the active build is a newer release's, unknown to this one, the highest known version is used; it stays current
    as long as a process of this release runs.
    """
    shipped = ", ".join(f"('{build.name}', {build.version})" for build in known)
    return f"""
SELECT DISTINCT ON (a.projection) a.projection, p.version, p.position
  FROM read.active a
  JOIN (VALUES {shipped}) k (projection, version) ON k.projection = a.projection
  JOIN read.positions p ON p.projection = k.projection AND p.version = k.version AND p.log = a.log
 WHERE a.log = {LOG_ID}
 ORDER BY a.projection, p.version = a.version DESC, p.version DESC"""  # noqa: S608 - names and numbers of the registry


@cache
def guarded(sql: str, build: Projection, known: tuple[Projection, ...]) -> str:
    """Query for the rows of `sql` in `build` and, in the same snapshot, the build in use: one round trip.

    Returns: a query with rows (version in use, whether this is a row of `sql`, *its columns). If `build` is not in use,
    or if `sql` has no rows, there is one row without columns of `sql`.
    """
    in_use = in_use_sql(tuple(one for one in known if one.name == build.name))
    return f"""
SELECT u.version, q.*
  FROM ({in_use}) u
  LEFT JOIN LATERAL (SELECT true, found.* FROM ({for_build(sql, build)}) found) q ON u.version = {build.version}
"""  # noqa: S608 - as above


def unguarded(build: Projection, rows: Sequence[TupleRow]) -> Sequence[TupleRow]:
    """The rows of `sql`, from the rows of `guarded`. Raises: AnotherBuild, NotBuilt."""
    if not rows:
        raise not_built(build.name)
    version = rows[0][0]
    if version != build.version:
        raise AnotherBuild(version)
    return [row[2:] for row in rows if row[1]]


async def builds_in_use(reader: Reader, known: tuple[Projection, ...]) -> dict[str, tuple[Projection, int]]:
    """The build in use and its position, by read model. Read models that were never built are missing."""
    by_key = {(build.name, build.version): build for build in known}
    rows = await rows_in_use(reader, in_use_sql(known))
    return {name: (by_key[name, version], position) for name, version, position in rows}


async def rows_in_use(reader: Reader, sql: str) -> Sequence[TupleRow]:
    """The rows of a query that selects from `in_use_sql`. Raises: NotBuilt if no projector ever ran here."""
    try:
        return await reader.rows(sql)
    except psycopg.errors.UndefinedTable as error:
        raise NotBuilt("no read model is built yet: start a projector") from error
