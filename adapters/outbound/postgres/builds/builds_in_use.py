"""Which build of a read model its readers use: the active one, as each reader's own snapshot has it.

`read.active` names one build for each read model. Nothing that readers name is ever replaced: a reader pinned to a
moment before a switch still finds the row of that moment, and the tables that it names.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

import psycopg

from domain.log import LOG_ID
from projections.engine.changes import Projection
from projections.engine.reader import Reader
from projections.engine.registry import for_build


class AnotherBuild(Exception):
    """The statement was for another build than the one in use when it was run; `version` is that one's."""

    def __init__(self, version: int) -> None:
        super().__init__(version)
        self.version = version


class NotBuilt(psycopg.OperationalError):
    """No build of a read model is in use yet: the projector is still building the first one. Waiting heals it."""


@cache
def in_use_sql(known: tuple[Projection, ...]) -> str:
    """SELECT (projection, version, position) of the builds in use, among those that this release knows.

    An active build that this release does not know is a newer release's: then it is the highest that is known, which is
    kept up to date as long as a process runs that knows it.
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
    """`sql` asked of `build`, and in the same snapshot which build is in use: one round trip.

    Returns: a query whose rows are (version in use, whether this is a row of `sql`, *its columns). Rows of `sql` are
    there only if `build` is the one in use; otherwise, and if `sql` has none, there is one row without them.
    """
    in_use = in_use_sql(tuple(one for one in known if one.name == build.name))
    return f"""
SELECT u.version, q.*
  FROM ({in_use}) u
  LEFT JOIN LATERAL (SELECT true, found.* FROM ({for_build(sql, build)}) found) q ON u.version = {build.version}
"""  # noqa: S608 - as above


def unguarded(build: Projection, rows: Sequence[tuple[Any, ...]]) -> Sequence[tuple[Any, ...]]:
    """What `sql` of `guarded` returned. Raises: AnotherBuild, NotBuilt."""
    if not rows:
        raise NotBuilt(f"read model {build.name} is not built yet")
    version = rows[0][0]
    if version != build.version:
        raise AnotherBuild(version)
    return [row[2:] for row in rows if row[1]]


async def builds_in_use(reader: Reader, known: tuple[Projection, ...]) -> dict[str, tuple[Projection, int]]:
    """By read model: the build in use and its position. Read models that were never built are missing."""
    by_key = {(build.name, build.version): build for build in known}
    rows = await reader.rows(in_use_sql(known))
    return {name: (by_key[name, version], position) for name, version, position in rows}
