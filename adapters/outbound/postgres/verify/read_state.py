"""Reads the state of a pinned ledger: its head, positions of read models, parked accounts, write permissions."""

from collections.abc import Container, Iterator
from typing import NamedTuple

import psycopg

from adapters.outbound.postgres.builds.builds_in_use import in_use_sql
from adapters.outbound.postgres.verify.verify_read_models import BuildClaim
from application.audit.verify_ledger import LedgerState, ParkedAccount, ReadModelState
from domain.log import LOG_ID
from domain.proof.chain import Head
from domain.proof.finding import Finding
from projections.engine.changes import Projection
from projections.engine.registry import BUILDS, NAMES

HEAD = b"SELECT position, chain, timestamptz_send(recorded_at) FROM ledger.head"
BUILT = b"SELECT projection, version, position FROM read.positions WHERE log = %s"
PARKED = b"""
SELECT projection, version, account, position, error FROM read.parked ORDER BY position, projection, version, account
"""

# By the database's clock, like recorded_at, at the moment of the snapshot.
LAGS = b"""
SELECT coalesce(extract(epoch FROM now() - e.recorded_at)::float8, 0)
  FROM unnest(%s::bigint[]) WITH ORDINALITY AS p (position, n)
  LEFT JOIN ledger.stored_events e ON e.notification_id = p.position + 1
 ORDER BY p.n
"""
ONE_ROLE = b"""
SELECT count(DISTINCT nspowner) = 1 OR bool_or(nspname = 'ledger' AND pg_has_role(nspowner, 'MEMBER'))
  FROM pg_namespace WHERE nspname IN ('ledger', 'read')
"""
"""Whether one role owns everything, or the examining role could change the ledger."""


def read_head(connection: psycopg.Connection) -> Head:
    """If the head row is missing: an empty Head, which no log matches."""
    row = connection.execute(HEAD, binary=True).fetchone()
    return Head(*row) if row else Head(0, b"", b"")


def read_state(connection: psycopg.Connection) -> LedgerState:
    built = _built(connection)
    in_use = {build for build, its in built.items() if its.is_in_use}
    lags = connection.execute(LAGS, [[its.position for its in built.values()]]).fetchall()
    return LedgerState(
        read_head(connection).position,
        [
            ReadModelState(build.name, its.position, lag[0], build.version, its.is_in_use)
            for (build, its), lag in zip(built.items(), lags, strict=True)
        ],
        [
            ParkedAccount(_place(build, in_use), account, position, error)
            for build in built
            for name, version, account, position, error in _parked(connection)
            if (name, version) == (build.name, build.version)
        ],
        connection.execute(ONE_ROLE).fetchone() == (True,),
    )


def read_claims(connection: psycopg.Connection, names: Container[str] = NAMES) -> list[BuildClaim]:
    """The claims of all builds of the read models `names` that this release knows."""
    parked = _parked(connection)
    return [
        BuildClaim(
            build,
            its.position,
            {account: at for *key, account, at, _ in parked if key == [build.name, build.version]},
            frozenset().union(*(b.unlike for b in BUILDS if b.name == build.name and b.version > build.version)),
        )
        for build, its in _built(connection).items()
        if build.name in names
    ]


def find_unbuilt(connection: psycopg.Connection) -> Iterator[Finding]:
    """A finding for each read model without a build that this release can check."""
    names = {build.name for build in _built(connection)}
    for name in NAMES:
        if name not in names:
            message = "was never built in a version that this release knows"
            yield Finding("read_models", message, place=f"read model {name}")


class _Built(NamedTuple):
    position: int
    is_in_use: bool


def _built(connection: psycopg.Connection) -> dict[Projection, _Built]:
    """The builds that exist and this release knows, in the order of their read models, the one in use first."""
    if connection.execute("SELECT to_regclass('read.active')").fetchone() == (None,):
        return {}
    in_use = {(name, version) for name, version, _ in connection.execute(in_use_sql(BUILDS).encode())}
    positions = {(name, version): at for name, version, at in connection.execute(BUILT, [LOG_ID])}
    found = {
        build: _Built(positions[key], key in in_use)
        for build in BUILDS
        if (key := (build.name, build.version)) in positions
    }
    return dict(sorted(found.items(), key=lambda one: (NAMES.index(one[0].name), not one[1].is_in_use)))


def _place(build: Projection, in_use: Container[Projection]) -> str:
    return build.name if build in in_use else f"{build.name} {build.build}"


def _parked(connection: psycopg.Connection) -> list[tuple[str, int, str, int, str]]:
    if connection.execute("SELECT to_regclass('read.active')").fetchone() == (None,):
        return []
    return connection.execute(PARKED).fetchall()
