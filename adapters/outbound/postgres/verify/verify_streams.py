"""Verifies all that needs the whole log in order: versions, commands, money, snapshots, tables that change."""

from collections import deque
from collections.abc import Container, Iterator, Sequence
from typing import NamedTuple

import msgspec
import psycopg
from psycopg.rows import TupleRow

from adapters.outbound.postgres.verify.pin_snapshot import rows_of, stream
from adapters.outbound.postgres.verify.read_state import read_claims
from adapters.outbound.postgres.verify.verify_read_models import ReadModelCheck
from adapters.outbound.postgres.wire.read_log import LogEntry, LoggedEvent, Undecodable, as_entries
from domain.aggregates import CODEC
from domain.proof.commands import CommandWalk
from domain.proof.finding import Clamped, Finding
from domain.proof.money import MoneyWalk
from domain.proof.snapshots import SnapshotRow, SnapshotWalk
from domain.proof.versions import VersionWalk

EVENTS = b"""
SELECT notification_id, originator_id, originator_version, topic, state, uuid_send(command_id)
  FROM ledger.stored_events ORDER BY notification_id
"""
COMMANDS = b"""
SELECT uuid_send(command_id), first_position, last_position FROM ledger.commands
 WHERE first_position IS NOT NULL OR last_position IS NOT NULL ORDER BY first_position, last_position
"""
SNAPSHOTS = b"SELECT originator_id, originator_version, state_schema, state FROM ledger.snapshots ORDER BY 1"


class StreamsProof(NamedTuple):
    """Whether versions are dense, findings about the log, and the first finding for each place in read models."""

    is_dense: bool
    findings: list[Finding]
    found: dict[str, Finding]
    clamped: list[Clamped]


def verify_streams(connection: psycopg.Connection, names: Container[str]) -> StreamsProof:
    """connection: pinned; names: of the read models with tables that are not insert-only."""
    walks = _Walks(connection)
    checks = [ReadModelCheck(connection, claim) for claim in read_claims(connection, names)]
    for rows in stream(connection, EVENTS):
        entries = as_entries(rows)
        walks.walk(rows, entries)
        for check in checks:
            check.walk(entries)
            deque(check.take_inserted(), maxlen=0)  # insert-only tables are compared by the stretch
    for check in checks:
        check.compare_changing()
    found = {place: finding for check in checks for place, finding in check.found.items()}
    return StreamsProof(walks.versions.is_dense, walks.end(), found, walks.clamped)


class _Walks:
    """All walks side by side. A broken stream or table yields its first fault; all others go on."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self.versions = VersionWalk()
        self.clamped: list[Clamped] = []
        self._commands: CommandWalk | None = CommandWalk(rows_of(connection, COMMANDS))
        self._money = MoneyWalk()
        self._snapshots = SnapshotWalk(map(SnapshotRow._make, rows_of(connection, SNAPSHOTS)), msgspec.json.encode)
        self._found: list[Finding] = []

    def walk(self, rows: Sequence[TupleRow], entries: Sequence[LogEntry]) -> None:
        """Take the next page of the log, stored and decoded."""
        positions, streams, versions, tags, _, command_ids = zip(*rows, strict=True)
        self.versions.walk(zip(streams, versions, strict=True))
        if self._commands and self._note(self._commands.walk(zip(positions, command_ids, strict=True))):
            self._commands = None
        for entry in entries:
            if isinstance(entry, LoggedEvent):
                self._note(self._money.walk(entry.position, entry.stream, entry.event))
                if entry.stream in self._snapshots.waiting:
                    self._note(self._snapshots.walk(entry.position, entry.stream, entry.version, entry.event))
            else:
                self._note_unreadable(entry)
        if not CODEC.clamping.isdisjoint(tags):
            self.clamped += _clamped(rows, entries)

    def end(self) -> list[Finding]:
        """The first fault in commands and in the money of each account; all faulty snapshots and unreadable events."""
        if self._commands:
            self._note(self._commands.end())
        return self._found + self._snapshots.end()

    def _note_unreadable(self, entry: Undecodable) -> None:
        self._money.skip(entry.stream)
        self._snapshots.skip(entry.stream)
        self._found.append(_unreadable(entry))

    def _note(self, finding: Finding | None) -> bool:
        if finding is not None:
            self._found.append(finding)
        return finding is not None


def _clamped(rows: Sequence[TupleRow], entries: Sequence[LogEntry]) -> Iterator[Clamped]:
    for row, entry in zip(rows, entries, strict=True):
        if isinstance(entry, LoggedEvent) and entry.tag in CODEC.clamping:
            for field in CODEC.clamped(entry.tag, row[4]):
                yield Clamped(entry.position, entry.stream, field)


def _unreadable(entry: Undecodable) -> Finding:
    message = f"cannot be read: {type(entry.error).__name__}: {entry.error}"
    return Finding("log", message, entry.position, f"{entry.stream}, column {entry.column}")
