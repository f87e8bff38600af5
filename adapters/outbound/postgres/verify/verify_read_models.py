"""Verifying read models: a fresh replay in memory against the tables, both ways, each at its own position.

Rows of insert-only tables follow from one event each, so they are compared a stretch of the log at a time; the others
when all of the log has gone by. Memory is bounded by what is open and by the number of accounts and keys.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from adapters.outbound.postgres.project.write_changes import physical
from adapters.outbound.postgres.verify.pin_snapshot import stream
from adapters.outbound.postgres.wire.read_log import LogEntry, Undecodable, account_of_entry
from domain import times
from domain.proof.finding import Finding
from projections.engine.changes import Change, Projection, Table
from projections.engine.replay import Replay


class BuildClaim(NamedTuple):
    """What a build says of itself: where it stands, and which accounts it left behind at which position.

    unlike: tables and columns that a later version fills in another way on purpose. This release may read old events in
            that other way too; what an earlier version once made of them cannot be made again then: it is not checked.
    """

    projection: Projection
    position: int
    parked: Mapping[str, int]
    unlike: frozenset[str] = frozenset()

    def is_checked(self, table: Table) -> bool:
        return table.name not in self.unlike

    def select(self, table: Table) -> bytes:
        """Its rows, without what is not checked."""
        return select_rows(table, self.projection.build, self._left_out(table))

    def checked(self, table: Table, row: tuple[Any, ...]) -> tuple[Any, ...]:
        """A row of a replay, without what is not checked."""
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

    def __init__(self, connection: psycopg.Connection[Any], claim: BuildClaim) -> None:
        """connection: pinned."""
        self._connection = connection
        self._claim = claim
        self._replay = Replay(claim.projection.tables)
        self.found: dict[str, Finding] = {}

    def walk(self, entries: Sequence[LogEntry]) -> None:
        """Replay those events that the read model says it holds."""
        if entries[-1].position > self._claim.position:
            entries = [entry for entry in entries if entry.position <= self._claim.position]
        self._replay.apply(self._changes(entries))

    def take_inserted(self) -> Iterator[tuple[Table, list[Any]]]:
        """The rows that insert-only tables must have got by the events since the last call, in order of their key."""
        for table in self._replay.inserted:
            yield table, self._replay.take_inserted(table)

    def compare_changing(self) -> None:
        """All rows of the tables whose rows change."""
        for table in self._claim.projection.tables:
            if not table.insert_only and self._claim.is_checked(table):
                self._compare_all(table)

    def note(self, table: Table, held: Any, wanted: Any) -> None:
        """The row `held` should be `wanted`; None for the one that is not there."""
        if table.name not in self.found:
            self.found[table.name] = _difference(table, self._claim.projection.build, held, wanted)

    def _changes(self, entries: Sequence[LogEntry]) -> list[Change]:
        project = self._claim.projection.project
        if not self._claim.parked and Undecodable not in set(map(type, entries)):
            # One that cannot be projected makes the fast way fail; the other one names it.
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
        except Exception as error:  # noqa: BLE001 - whatever it raises, the projector must have parked its account
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


def is_as_read(held: Any, wanted: Any) -> bool:
    """Whether two rows differ only in times that were recorded outside their range, and written before they had one:
    what reads them moves them to the nearer end, as the event's upcaster does."""
    return held is not None and wanted is not None and all(map(_is_as_read, held, wanted))


def _is_as_read(held: Any, wanted: Any) -> bool:
    if held == wanted:
        return True
    return isinstance(held, datetime) and wanted in times.ENDS and times.clamped(held) == wanted


def find_breaches(connection: psycopg.Connection[Any], projection: Projection) -> Iterator[Finding]:
    """Each law of a read model that its rows break."""
    for law in projection.laws:
        query = law.first_breach.format(build=projection.build)
        for position, place in connection.execute(query.encode()).fetchall():
            yield Finding("read_models", f"broken: {law.says}", position, place)


def _difference(table: Table, build: str, held: Any, wanted: Any) -> Finding:
    row = held if held is not None else wanted
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


def _shown(value: Any) -> str:
    return value.hex() if isinstance(value, bytes) else repr(value) if isinstance(value, str) else str(value)
