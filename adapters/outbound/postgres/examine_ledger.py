"""Evidence for verify_ledger from a PostgreSQL ledger: pinned once, examined by several processes if it is large."""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg

from adapters.outbound.postgres.cut_log import cut_log
from adapters.outbound.postgres.pin_snapshot import export_snapshot, pinned
from adapters.outbound.postgres.read_standing import find_unbuilt, read_claims, read_head, read_standing
from adapters.outbound.postgres.share_work import Task, WorkFailed, work_apart, work_here
from adapters.outbound.postgres.verify_log import name_damage
from adapters.outbound.postgres.verify_read_models import find_breaches
from adapters.outbound.postgres.verify_streams import StreamsProof, verify_streams
from adapters.outbound.postgres.verify_stretch import StretchProof, verify_stretch
from application.verify_ledger import LedgerStanding
from domain.proof.finding import Finding
from projections.registry import PROJECTIONS

SHARED_FROM = 50_000
"""Events. Processes cost half a second to start, which shorter logs do not take."""

MOST_PROCESSES = 4
"""What needs the whole log in order is done by one process and takes a third of the time: more would wait for it."""

INSERT_ONLY = tuple(p.name for p in PROJECTIONS if all(table.insert_only for table in p.tables))
CHANGING = tuple(p.name for p in PROJECTIONS if p.name not in INSERT_ONLY)


class PostgresEvidence:
    """application.verify_ledger.Evidence of the moment at which `pinned_evidence` was entered."""

    def __init__(self, info: str, connection: psycopg.Connection[Any]) -> None:
        self._info = info
        self._connection = connection

    def standing(self) -> LedgerStanding:
        return read_standing(self._connection)

    def examine(self) -> Iterable[Finding]:
        """Raises: WorkFailed, psycopg.Error."""
        head = read_head(self._connection).position
        tasks = [Task(verify_streams, (CHANGING,)), Task(_breaches)]  # first: the longest, and what cannot be cut
        tasks += [Task(verify_stretch, (stretch, INSERT_ONLY)) for stretch in cut_log(self._connection, head)]
        streams, breaches, *stretches = self._work(tasks, processes_for(head))
        yield from find_unbuilt(self._connection)
        yield from self._damage(streams, stretches)
        yield from streams.findings
        yield from _first_of_each_place(stretches)
        yield from breaches

    def _work(self, tasks: Sequence[Task], processes: int) -> list[Any]:
        if processes == 1:
            return work_here(self._connection, tasks)
        return work_apart(self._info, export_snapshot(self._connection), tasks, processes)

    def _damage(self, streams: StreamsProof, stretches: Sequence[StretchProof]) -> Iterator[Finding]:
        if streams.is_dense and all(stretch.is_unbroken for stretch in stretches):
            return
        damage = name_damage(self._connection)
        if damage is None:
            raise WorkFailed("the log is not whole in parts, but as a whole: the examination contradicts itself")
        yield damage


@contextmanager
def pinned_evidence(info: str) -> Iterator[PostgresEvidence]:
    """`info`: conninfo of a role that may read schemas `ledger` and `read` (the auditor's is enough)."""
    with pinned(info) as connection:
        yield PostgresEvidence(info, connection)


def processes_for(events: int) -> int:
    """How many share the work: one on one core."""
    return 1 if events < SHARED_FROM else min(len(os.sched_getaffinity(0)), MOST_PROCESSES)


def _breaches(connection: psycopg.Connection[Any]) -> list[Finding]:
    return [finding for claim in read_claims(connection) for finding in find_breaches(connection, claim.projection)]


def _first_of_each_place(stretches: Sequence[StretchProof]) -> Iterable[Finding]:
    found: dict[str, Finding] = {}
    for stretch in reversed(stretches):
        found |= stretch.found
    return found.values()
