"""What a pinned ledger says of itself: its head, where read models stand, whom they left behind, who may write."""

from collections.abc import Container, Iterator
from typing import Any, NamedTuple

import psycopg

from adapters.outbound.postgres.verify_read_models import Claim
from application.verify_ledger import LedgerStanding, ParkedAccount, ReadModelStanding
from domain.log import LOG_ID
from domain.proof.chain import Head
from domain.proof.finding import Finding
from projections.registry import NAMES, PROJECTIONS

HEAD = b"SELECT position, chain, timestamptz_send(recorded_at) FROM ledger.head"
BUILT = b"SELECT projection, version, position FROM read.positions WHERE log = %s"
PARKED = b"SELECT projection, account, position, error FROM read.parked ORDER BY position, projection, account"

# By the database's clock at the moment of the snapshot, as recorded_at is.
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
"""One owner of all, or an examiner that could change what it examines."""


def read_head(connection: psycopg.Connection[Any]) -> Head:
    """Of a head whose row is gone, what no log ends with."""
    row = connection.execute(HEAD, binary=True).fetchone()
    return Head(*row) if row else Head(0, b"", b"")


def read_standing(connection: psycopg.Connection[Any]) -> LedgerStanding:
    built = _built(connection)
    positions = [built[p.name].position if p.name in built else 0 for p in PROJECTIONS]
    lags = connection.execute(LAGS, [positions]).fetchall()
    return LedgerStanding(
        read_head(connection).position,
        [ReadModelStanding(p.name, at, lag[0]) for p, at, lag in zip(PROJECTIONS, positions, lags, strict=True)],
        [ParkedAccount(*row) for row in _parked(connection)],
        connection.execute(ONE_ROLE).fetchone() == (True,),
    )


def read_claims(connection: psycopg.Connection[Any], names: Container[str] = NAMES) -> list[Claim]:
    """What those read models of `names` that this build can check claim of themselves."""
    built, parked = _built(connection), _parked(connection)
    return [
        Claim(p, built[p.name].position, {account: at for name, account, at, _ in parked if name == p.name})
        for p in PROJECTIONS
        if p.name in names and p.name in built and built[p.name].version == p.version
    ]


def find_unbuilt(connection: psycopg.Connection[Any]) -> Iterator[Finding]:
    """The read models that this build cannot check."""
    built = _built(connection)
    for p in PROJECTIONS:
        if p.name not in built:
            yield Finding("read_models", "was never built", place=f"read model {p.name}")
        elif built[p.name].version != p.version:
            wrong = f"was built by version {built[p.name].version}, this is version {p.version}"
            yield Finding("read_models", wrong, place=f"read model {p.name}")


class _Built(NamedTuple):
    version: int
    position: int


def _built(connection: psycopg.Connection[Any]) -> dict[str, _Built]:
    if connection.execute("SELECT to_regclass('read.positions')").fetchone() == (None,):
        return {}
    rows = connection.execute(BUILT, [LOG_ID]).fetchall()
    return {name: _Built(version, position) for name, version, position in rows}


def _parked(connection: psycopg.Connection[Any]) -> list[tuple[str, str, int, str]]:
    if connection.execute("SELECT to_regclass('read.parked')").fetchone() == (None,):
        return []
    return connection.execute(PARKED).fetchall()
