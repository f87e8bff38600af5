"""Collects evidence for verify_ledger: pins the ledger once; several processes examine a large one."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import psycopg

from adapters.outbound.postgres.verify.cut_log import STRETCH, cut_log
from adapters.outbound.postgres.verify.pin_snapshot import export_snapshot, pinned
from adapters.outbound.postgres.verify.read_state import find_unbuilt, read_claims, read_head, read_state
from adapters.outbound.postgres.verify.share_work import Task, WorkFailed, work_apart, work_here
from adapters.outbound.postgres.verify.verify_access import KeyAccess, verify_access
from adapters.outbound.postgres.verify.verify_log import name_damage
from adapters.outbound.postgres.verify.verify_read_models import find_breaches
from adapters.outbound.postgres.verify.verify_streams import StreamsProof, verify_streams
from adapters.outbound.postgres.verify.verify_stretch import StretchProof, verify_stretch
from application.audit.verify_ledger import Examined, LedgerState
from domain.proof.finding import Finding
from projections.engine.registry import BUILDS

SHARED_FROM = 50_000
"""Events. Starting processes takes half a second, longer than examining a shorter log."""

MOST_PROCESSES = 4
"""One process does the work that needs the whole log in order, a third of the time: more processes would wait."""

Work = Callable[[Sequence[Task]], list[Any]]
"""A function that does tasks and returns their results in order."""

INSERT_ONLY = frozenset(p.name for p in BUILDS if any(table.insert_only for table in p.tables))
CHANGING = frozenset(p.name for p in BUILDS if any(not table.insert_only for table in p.tables))
"""Read models with such tables. A read model with both kinds is replayed twice, once for each."""


class PostgresEvidence:
    """application.audit.verify_ledger.Evidence of the moment at which `pinned_evidence` was entered."""

    def __init__(self, connection: psycopg.Connection, work: Work, stretch: int, keys: KeyAccess | None) -> None:
        self._connection = connection
        self._work = work
        self._stretch = stretch
        self._keys = keys

    def state(self) -> LedgerState:
        return read_state(self._connection)

    def examine(self) -> Examined:
        """Raises: WorkFailed, psycopg.Error."""
        head = read_head(self._connection).position
        tasks = [
            Task(verify_streams, (CHANGING,)),
            Task(verify_access, (self._keys,)),
            Task(_breaches),
        ]  # first: the longest task, which cannot be cut
        stretches = cut_log(self._connection, head, self._stretch)
        tasks += [Task(verify_stretch, (stretch, INSERT_ONLY)) for stretch in stretches]
        streams, access, breaches, *proofs = self._work(tasks)
        findings = [
            *find_unbuilt(self._connection),
            *self._damage(streams, proofs),
            *streams.findings,
            *access.findings,
            *_first_of_each_place([streams, *proofs]),
            *breaches,
        ]
        return Examined(findings, streams.clamped, access.access)

    def _damage(self, streams: StreamsProof, stretches: Sequence[StretchProof]) -> Iterator[Finding]:
        """Damage to order and chain: the parts detect it, a walk over the whole log names it."""
        if streams.is_dense and all(stretch.is_unbroken for stretch in stretches):
            return
        damage = name_damage(self._connection)
        if damage is None:
            raise WorkFailed("the log is not whole in parts, but as a whole: the examination contradicts itself")
        yield damage


@contextmanager
def pinned_evidence(
    info: str, processes: int = 0, stretch: int = STRETCH, keys: KeyAccess | None = None
) -> Iterator[PostgresEvidence]:
    """Evidence of the present moment.

    info:       conninfo of a role that may read schemas `ledger` and `read` (the auditor's is enough).
    processes:  number of processes; 0: chosen by the log's length and the machine. It does not change the verdict.
    stretch:    events of the log that are proven together. It does not change the verdict.
    keys:       access to data keys and sealed claims; None only checks that they exist.
    """
    with pinned(info) as connection:
        yield PostgresEvidence(connection, _work_for(info, connection, processes), stretch, keys)


def _work_for(info: str, connection: psycopg.Connection, processes: int) -> Work:
    """Decided before any read: without disk space for a file on the server, this process does the work."""
    sharing = processes or processes_for(read_head(connection).position)
    snapshot = export_snapshot(connection) if sharing > 1 else None
    if snapshot is None:
        return partial(work_here, connection)
    return partial(work_apart, info, snapshot, processes=sharing)


def processes_for(events: int) -> int:
    """Number of processes that share the work; one on one core."""
    if events < SHARED_FROM:
        return 1
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, MOST_PROCESSES)


def _breaches(connection: psycopg.Connection) -> list[Finding]:
    return [finding for claim in read_claims(connection) for finding in find_breaches(connection, claim.projection)]


def _first_of_each_place(proofs: Sequence[StreamsProof | StretchProof]) -> Iterable[Finding]:
    found: dict[str, Finding] = {}
    for proof in reversed(proofs):
        found |= proof.found
    return found.values()
