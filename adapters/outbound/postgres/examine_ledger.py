"""Evidence for verify_ledger from a PostgreSQL ledger: pinned once, examined by two processes if it is large."""

import gc
import multiprocessing
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any, NamedTuple, cast

import psycopg

from adapters.outbound.postgres.pin_snapshot import export_snapshot, pinned, stream
from adapters.outbound.postgres.read_log import as_entries
from adapters.outbound.postgres.verify_log import LogWalks
from adapters.outbound.postgres.verify_read_models import Claim, ReadModelCheck
from application.verify_ledger import LedgerStanding, ParkedAccount, ReadModelStanding
from domain.log import LOG_ID
from domain.proof.chain import StoredEvent
from domain.proof.finding import Finding
from projections.registry import PROJECTIONS

TWO_PROCESSES_FROM = 50_000
"""Events. A second process costs half a second to start, which shorter logs do not take."""

WITH_LOG = ("ledger_entries",)
"""Read models that are checked by the process that checks the log: the two then have about the same to do."""

EVENTS = b"""
SELECT notification_id, originator_id, originator_version, topic, state
  FROM ledger.stored_events ORDER BY notification_id
"""
WHOLE_EVENTS = b"""
SELECT notification_id, originator_id, originator_version, topic, state,
       timestamptz_send(recorded_at), uuid_send(command_id), uuid_send(correlation_id)
  FROM ledger.stored_events ORDER BY notification_id
"""

BUILT = b"SELECT projection, version, position FROM read.positions WHERE log = %s"
PARKED = b"SELECT projection, account, position, error FROM read.parked ORDER BY position, projection, account"

# By the database's clock at the moment of the snapshot, as recorded_at is.
LAGS = b"""
SELECT coalesce(extract(epoch FROM now() - e.recorded_at)::float8, 0)
  FROM unnest(%s::bigint[]) WITH ORDINALITY AS p (position, n)
  LEFT JOIN ledger.stored_events e ON e.notification_id = p.position + 1
 ORDER BY p.n
"""
ONE_ROLE = b"SELECT count(DISTINCT nspowner) = 1 FROM pg_namespace WHERE nspname IN ('ledger', 'read')"


class PostgresEvidence:
    """application.verify_ledger.Evidence of the moment at which `pinned_evidence` was entered."""

    def __init__(self, info: str, connection: psycopg.Connection[Any]) -> None:
        self._info = info
        self._connection = connection

    def standing(self) -> LedgerStanding:
        built = _built(self._connection)
        positions = [built[p.name].position if p.name in built else 0 for p in PROJECTIONS]
        lags = self._connection.execute(LAGS, [positions]).fetchall()
        return LedgerStanding(
            self._head(),
            [ReadModelStanding(p.name, at, lag[0]) for p, at, lag in zip(PROJECTIONS, positions, lags, strict=True)],
            [ParkedAccount(*row) for row in _parked(self._connection)],
            self._connection.execute(ONE_ROLE).fetchone() == (True,),
        )

    def examine(self) -> Iterable[Finding]:
        yield from _unbuilt(self._connection)
        names = [projection.name for projection in PROJECTIONS]
        if self._head() < TWO_PROCESSES_FROM:
            yield from _examine_part(self._connection, names, with_log=True)
            return
        snapshot = export_snapshot(self._connection)
        others = [name for name in names if name not in WITH_LOG]
        spawning = multiprocessing.get_context("spawn")  # a fork would share our connections
        with ProcessPoolExecutor(2, mp_context=spawning) as processes:
            without = processes.submit(_examine_apart, self._info, snapshot, others, False)
            with_log = processes.submit(_examine_apart, self._info, snapshot, WITH_LOG, True)
            yield from with_log.result()
            yield from without.result()

    def _head(self) -> int:
        row = self._connection.execute("SELECT position FROM ledger.head").fetchone()
        return int(row[0]) if row else 0


@contextmanager
def pinned_evidence(info: str) -> Iterator[PostgresEvidence]:
    """`info`: conninfo of a role that may read schemas `ledger` and `read` (the auditor's is enough)."""
    with pinned(info) as connection:
        yield PostgresEvidence(info, connection)


def examine(connection: psycopg.Connection[Any], claims: Sequence[Claim], with_log: bool) -> list[Finding]:
    """One pass over the log for the log itself and for the read models of `claims`; `connection` is pinned."""
    walks = LogWalks(connection) if with_log else None
    checks = [ReadModelCheck(connection, claim) for claim in claims]
    for rows in stream(connection, WHOLE_EVENTS if with_log else EVENTS):
        entries = as_entries(rows)
        if walks:
            walks.walk(cast(Sequence[StoredEvent], rows), entries)
        for check in checks:
            check.walk(entries)
    return [*(walks.end() if walks else ()), *(finding for check in checks for finding in check.end())]


def _examine_apart(info: str, snapshot: str, names: Sequence[str], with_log: bool) -> list[Finding]:
    """One process's part of a large ledger."""
    gc.disable()  # nothing here is cyclic, and looking for cycles among a page's objects costs a tenth of the time
    with pinned(info, snapshot) as connection:
        return _examine_part(connection, names, with_log)


def _examine_part(connection: psycopg.Connection[Any], names: Sequence[str], with_log: bool) -> list[Finding]:
    return examine(connection, [claim for claim in _claims(connection) if claim.projection.name in names], with_log)


def _claims(connection: psycopg.Connection[Any]) -> list[Claim]:
    """What the read models that this build can check claim of themselves."""
    built, parked = _built(connection), _parked(connection)
    return [
        Claim(p, built[p.name].position, {account: at for name, account, at, _ in parked if name == p.name})
        for p in PROJECTIONS
        if p.name in built and built[p.name].version == p.version
    ]


def _unbuilt(connection: psycopg.Connection[Any]) -> Iterator[Finding]:
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
