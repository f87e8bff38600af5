"""Verifying what needs all of the log in order: versions, commands, money, snapshots, read models whose rows change."""

from collections import deque
from collections.abc import Container, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec
import psycopg

from adapters.outbound.postgres.pin_snapshot import rows_of, stream
from adapters.outbound.postgres.read_log import LogEntry, LoggedEvent, Undecodable, as_entries
from adapters.outbound.postgres.read_standing import read_claims
from adapters.outbound.postgres.verify_read_models import ReadModelCheck
from domain.proof.commands import CommandWalk
from domain.proof.finding import Finding
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
    """Whether versions are dense, what is wrong with the log, and the first finding for each place in read models."""

    is_dense: bool
    findings: list[Finding]
    found: dict[str, Finding]


def verify_streams(connection: psycopg.Connection[Any], names: Container[str]) -> StreamsProof:
    """connection: pinned; names: of the read models that have tables whose rows change."""
    walks = _Walks(connection)
    checks = [ReadModelCheck(connection, claim) for claim in read_claims(connection, names)]
    for rows in stream(connection, EVENTS):
        entries = as_entries(rows)
        walks.walk(rows, entries)
        for check in checks:
            check.walk(entries)
            deque(check.take_inserted(), maxlen=0)  # theirs are compared by the stretch
    for check in checks:
        check.compare_changing()
    found = {place: finding for check in checks for place, finding in check.found.items()}
    return StreamsProof(walks.versions.is_dense, walks.end(), found)


class _Walks:
    """All walks side by side. One that has found something is over: what follows from a damage is no news."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.versions = VersionWalk()
        self._commands: CommandWalk | None = CommandWalk(rows_of(connection, COMMANDS))
        self._money: MoneyWalk | None = MoneyWalk()
        self._snapshots = SnapshotWalk(map(SnapshotRow._make, rows_of(connection, SNAPSHOTS)), msgspec.json.encode)
        self._found: list[Finding] = []

    def walk(self, rows: Sequence[Any], entries: Sequence[LogEntry]) -> None:
        """Take the next page of the log, as it is stored and decoded."""
        positions, streams, versions, _, _, command_ids = zip(*rows, strict=True)
        self.versions.walk(zip(streams, versions, strict=True))
        if self._commands and self._note(self._commands.walk(zip(positions, command_ids, strict=True))):
            self._commands = None
        readable = [entry for entry in entries if type(entry) is LoggedEvent]
        if self._money and any(self._note(fault) for fault in _money_faults(self._money, readable)):
            self._money = None
        for entry in readable:
            if entry.stream in self._snapshots.waiting:
                self._note(self._snapshots.walk(entry.position, entry.stream, entry.version, entry.event))
        self._found += [_unreadable(entry) for entry in entries if type(entry) is Undecodable]

    def end(self) -> list[Finding]:
        """The first thing wrong with commands and with money; every snapshot and event that is no good."""
        if self._commands:
            self._note(self._commands.end())
        return self._found + self._snapshots.end()

    def _note(self, finding: Finding | None) -> bool:
        if finding is not None:
            self._found.append(finding)
        return finding is not None


def _money_faults(money: MoneyWalk, entries: Sequence[LoggedEvent]) -> Iterator[Finding | None]:
    return (money.walk(entry.position, entry.stream, entry.event) for entry in entries)


def _unreadable(entry: Undecodable) -> Finding:
    return Finding("log", f"cannot be read: {type(entry.error).__name__}: {entry.error}", entry.position, entry.stream)
