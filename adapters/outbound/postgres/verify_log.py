"""Verifying the log itself, as it goes by: chain, order, commands, money, snapshots."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

import msgspec
import psycopg

from adapters.outbound.postgres.pin_snapshot import stream
from adapters.outbound.postgres.read_log import LogEntry, Undecodable
from domain.proof.chain import Block, ChainWalk, Head, StoredEvent
from domain.proof.commands import CommandWalk
from domain.proof.finding import Finding
from domain.proof.money import MoneyWalk
from domain.proof.snapshots import SnapshotRow, SnapshotWalk

BLOCKS = b"SELECT first_position, last_position, digest, chain FROM ledger.blocks ORDER BY first_position"
COMMANDS = b"""
SELECT uuid_send(command_id), first_position, last_position FROM ledger.commands
 WHERE first_position IS NOT NULL OR last_position IS NOT NULL ORDER BY first_position, last_position
"""
SNAPSHOTS = b"SELECT originator_id, originator_version, state_schema, state FROM ledger.snapshots ORDER BY 1"
HEAD = b"SELECT position, chain, timestamptz_send(recorded_at) FROM ledger.head"


class LogWalks:
    """All walks side by side. One that has found something is over: what follows from a damage is no news."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        """connection: pinned."""
        head = connection.execute(HEAD, binary=True).fetchone()
        assert head is not None
        self._head = Head(*head)
        self._chain: ChainWalk | None = ChainWalk(map(Block._make, _rows(connection, BLOCKS)))
        self._commands: CommandWalk | None = CommandWalk(_rows(connection, COMMANDS))
        self._money: MoneyWalk | None = MoneyWalk()
        self._snapshots = SnapshotWalk(map(SnapshotRow._make, _rows(connection, SNAPSHOTS)), msgspec.json.encode)
        self._found: list[Finding] = []

    def walk(self, stored: Sequence[StoredEvent], entries: Sequence[LogEntry]) -> None:
        """Take the next page of the log, as it is stored and decoded."""
        if self._chain and self._note(self._chain.walk(stored)):
            self._chain = None
        if self._commands and self._note(self._commands.walk(stored)):
            self._commands = None
        for entry in entries:
            if isinstance(entry, Undecodable):
                reason = f"cannot be read: {type(entry.error).__name__}: {entry.error}"
                self._found.append(Finding("log", reason, entry.position, entry.stream))
                continue
            if self._money:
                fault = self._money.walk(entry.position, entry.stream, entry.event)
                if fault is not None:
                    self._found.append(fault)
                    self._money = None
            fault = self._snapshots.walk(entry.position, entry.stream, entry.version, entry.event)
            if fault is not None:
                self._found.append(fault)

    def end(self) -> list[Finding]:
        """The first thing wrong with chain and order, commands and money; every snapshot and event that is no good."""
        if self._chain:
            self._note(self._chain.end(self._head))
        if self._commands:
            self._note(self._commands.end())
        return self._found + self._snapshots.end()

    def _note(self, finding: Finding | None) -> bool:
        if finding is not None:
            self._found.append(finding)
        return finding is not None


def _rows(connection: psycopg.Connection[Any], query: bytes) -> Iterator[Any]:
    return chain.from_iterable(stream(connection, query))
