"""Verifies read models: compares a new replay in memory with the tables, both ways, each at its own position.

Each row of an insert-only table follows from one event, so such tables are compared by stretches of the log; all others
after the whole log was replayed. Memory is bounded by open items and by the number of accounts and keys.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from adapters.outbound.postgres.project.write_changes import physical
from adapters.outbound.postgres.verify.pin_snapshot import stream
from adapters.outbound.postgres.wire.read_log import LogEntry, Undecodable, account_of_entry
from domain import times
from domain.proof.finding import Finding
from projections.engine.changes import Change, Projection, Table
from projections.engine.replay import Replay


class BuildClaim(NamedTuple):
    """What a build claims: its position, and the accounts that it parked, with their positions.

    unlike: tables and columns that a later version fills differently on purpose. This release may read old events
            differently too, so it cannot repeat the earlier version's rows: these are not checked.
    """

    projection: Projection
    position: int
    parked: Mapping[str, int]
    unlike: frozenset[str] = frozenset()

    def is_checked(self, table: Table) -> bool:
        return table.name not in self.unlike

    def select(self, table: Table) -> bytes:
        """Query for its rows, without columns that are not checked."""
        return select_rows(table, self.projection.build, self._left_out(table))

    def checked(self, table: Table, row: TupleRow) -> TupleRow:
        """A row of a replay, without columns that are not checked."""
        left_out = self._left_out(table)
        if not left_out:
            return row
        return tuple(None if name in left_out else value for name, value in zip(table.names, row, strict=True))

    def _left_out(self, table: Table) -> frozenset[str]:
        if not self.unlike:
            return self.unlike
        return frozenset(name for name in table.names if f"{table.name}.{name}" in self.unlike)


class ReadModelCheck:
    """One read model: feed it events in order, then compare. `found` has the first finding for each place."""

    def __init__(self, connection: psycopg.Connection, claim: BuildClaim) -> None:
        """connection: pinned."""
        self._connection = connection
        self._claim = claim
        self._replay = Replay(claim.projection.tables)
        self.found: dict[str, Finding] = {}

    def walk(self, entries: Sequence[LogEntry]) -> None:
        """Replay the events up to the read model's position."""
        if entries[-1].position > self._claim.position:
            entries = [entry for entry in entries if entry.position <= self._claim.position]
        self._replay.apply(self._changes(entries))

    def take_inserted(self) -> Iterator[tuple[Table, list[TupleRow]]]:
        """Expected new rows of insert-only tables since the last call, in order of their key."""
        for table in self._replay.inserted:
            yield table, self._replay.take_inserted(table)

    def compare_changing(self) -> None:
        """Compare all rows of the tables that are not insert-only."""
        for table in self._claim.projection.tables:
            if not table.insert_only and self._claim.is_checked(table):
                self._compare_all(table)

    def note(self, table: Table, held: TupleRow | None, wanted: TupleRow | None) -> None:
        """Note that row `held` should be `wanted`; None for a missing row."""
        if table.name not in self.found:
            self.found[table.name] = _difference(table, self._claim.projection.build, held, wanted)

    def _changes(self, entries: Sequence[LogEntry]) -> list[Change]:
        project = self._claim.projection.project
        if not self._claim.parked and Undecodable not in set(map(type, entries)):
            # An event that cannot be projected makes the fast path fail; the slow path names it.
            with suppress(Exception):
                return [change for entry in entries for change in project(entry)]  # type: ignore[arg-type]
        return [change for entry in entries for change in self._changes_of(entry)]

    def _changes_of(self, entry: LogEntry) -> Sequence[Change]:
        parked = self._claim.parked
        if parked and entry.position >= parked.get(account_of_entry(entry), entry.position + 1):
            return ()
        try:
            if isinstance(entry, Undecodable):
                raise entry.error
            return self._claim.projection.project(entry)
        except Exception as error:  # noqa: BLE001 - the projector must have parked its account
            message = f"cannot be projected, but its account is not parked: {type(error).__name__}: {error}"
            place = f"read model {self._claim.projection.name}"
            self.found.setdefault(place, Finding("read_models", message, entry.position, place))
            return ()

    def _compare_all(self, table: Table) -> None:
        wanted = self._replay.rows(table)
        query = self._claim.select(table) + _ordered(table)
        for rows in stream(self._connection, query):
            for row in rows:
                found = wanted.pop(row[: table.key], None)
                expected = None if found is None else self._claim.checked(table, found)
                if row != expected and not is_as_read(row, expected):
                    self.note(table, row, expected)
        if wanted:
            self.note(table, None, wanted[min(wanted)])


def is_as_read(held: TupleRow | None, wanted: TupleRow | None) -> bool:
    """Whether two rows differ only in times outside the range, written before there was one: readers move such times to
    the nearer end, as the event's upcaster does."""
    return held is not None and wanted is not None and all(map(_is_as_read, held, wanted))


def _is_as_read(held: object, wanted: object) -> bool:
    if held == wanted:
        return True
    return isinstance(held, datetime) and wanted in times.ENDS and times.clamped(held) == wanted


def find_breaches(connection: psycopg.Connection, projection: Projection) -> Iterator[Finding]:
    """A finding for each law that the read model's rows break."""
    for law in projection.laws:
        query = law.first_breach.format(build=projection.build)
        for position, place in connection.execute(query.encode()).fetchall():
            yield Finding("read_models", f"broken: {law.says}", position, place)


def _difference(table: Table, build: str, held: TupleRow | None, wanted: TupleRow | None) -> Finding:
    row = held if held is not None else wanted
    assert row is not None  # at most one of them is missing
    place = ", ".join(f"{name}={_shown(value)}" for name, value in zip(table.key_names, row, strict=False))
    position = row[table.names.index("position")] if "position" in table.columns else None
    place = f"read.{table.name}_{build} {place}"
    if held is None:
        return Finding("read_models", "the row is missing", position, place)
    if wanted is None:
        return Finding("read_models", "no event accounts for this row", position, place)
    name, value, right = next(
        (name, value, right) for name, value, right in zip(table.names, held, wanted, strict=True) if value != right
    )
    if "position" in table.columns:
        position = wanted[table.names.index("position")]
    message = f"holds {_shown(value)}, not {_shown(right)}"
    return Finding("read_models", message, position, f"{place}, column {name}")


def select_rows(table: Table, build: str, left_out: frozenset[str] = frozenset()) -> bytes:
    """left_out: columns that are NULL instead."""
    columns = [
        sql.SQL("NULL" if name in left_out else "{}::text" if column.sql_type == "json" else "{}").format(
            sql.Identifier(name)
        )
        for name, column in table.columns.items()
    ]
    return sql.SQL("SELECT {} FROM {}").format(sql.SQL(", ").join(columns), physical(table, build)).as_bytes()


def _ordered(table: Table) -> bytes:
    return b" ORDER BY " + b", ".join(b"%d" % (n + 1) for n in range(table.key))


def _shown(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else repr(value) if isinstance(value, str) else str(value)
