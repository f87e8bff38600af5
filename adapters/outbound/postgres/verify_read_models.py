"""Verifying read models: a fresh replay in memory against the tables, both ways, each at its own position.

Insert-only tables are compared page by page as the log goes by; the others when it has gone by. Memory is bounded by
what is open and by the number of accounts and keys, not by the length of the log.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from adapters.outbound.postgres.pin_snapshot import stream
from adapters.outbound.postgres.read_log import LogEntry, Undecodable, account_of_entry
from adapters.outbound.postgres.write_changes import physical
from domain.proof.finding import Finding
from projections.changes import Projection, Table
from projections.replay import Replay


class Claim(NamedTuple):
    """What a read model says of itself: where it stands, and which accounts it left behind at which position."""

    projection: Projection
    position: int
    parked: Mapping[str, int]


class ReadModelCheck:
    """One read model: feed it every event from genesis to its position, then ask what was wrong."""

    def __init__(self, connection: psycopg.Connection[Any], claim: Claim) -> None:
        self._connection = connection
        self._claim = claim
        self._replay = Replay(claim.projection.tables)
        self._compared_upto = 0
        self._found: dict[Table, Finding] = {}
        self._poisoned: list[Finding] = []

    def walk(self, entries: Sequence[LogEntry]) -> None:
        last = min(entries[-1].position, self._claim.position)
        if last <= self._compared_upto:
            return
        self._apply(entries if entries[-1].position == last else [e for e in entries if e.position <= last])
        for table in self._replay.inserted:
            expected = self._replay.take_inserted(table)
            if table not in self._found:
                self._compare(table, expected, self._compared_upto, last)
        self._compared_upto = last

    def _apply(self, entries: Sequence[LogEntry]) -> None:
        project, replay, parked = self._claim.projection.project, self._replay, self._claim.parked
        for entry in entries:
            if parked and entry.position >= parked.get(account_of_entry(entry), entry.position + 1):
                continue
            try:
                if isinstance(entry, Undecodable):
                    raise entry.error
                changes = project(entry)
            except Exception as error:  # noqa: BLE001 - whatever it raises, the projector must have parked its account
                self._poisoned.append(self._not_parked(entry, error))
            else:
                replay.apply(changes)

    def _not_parked(self, entry: LogEntry, error: Exception) -> Finding:
        message = f"cannot be projected, but its account is not parked: {type(error).__name__}: {error}"
        return Finding("read_models", message, entry.position, f"read model {self._claim.projection.name}")

    def end(self) -> Iterator[Finding]:
        """The first event that should have been parked, the first bad row of each table, each breach of a law."""
        for table in self._claim.projection.tables:
            if table.insert_only:
                self._compare(table, [], self._compared_upto, None)
            else:
                self._compare_all(table)
        yield from self._poisoned[:1]
        yield from self._found.values()
        yield from self._breaches()

    def _compare(self, table: Table, expected: Sequence[Any], after: int, upto: int | None) -> None:
        """Rows of an insert-only table after position `after`, up to `upto` (None: whatever there is)."""
        if table in self._found:
            return
        query = _select(table, self._claim.projection.build) + _range(after, upto)
        rows = self._connection.execute(query, binary=True).fetchall()
        if rows != expected:
            width = table.key
            held = {row[:width]: row for row in rows}
            wanted = {row[:width]: row for row in expected}
            for key in sorted(held.keys() | wanted.keys()):
                if held.get(key) != wanted.get(key):
                    self._found[table] = self._difference(table, held.get(key), wanted.get(key))
                    return

    def _compare_all(self, table: Table) -> None:
        wanted = self._replay.rows(table)
        query = _select(table, self._claim.projection.build) + _ordered(table)
        for rows in stream(self._connection, query):
            for row in rows:
                expected = wanted.pop(row[: table.key], None)
                if row != expected and table not in self._found:
                    self._found[table] = self._difference(table, row, expected)
        if wanted and table not in self._found:
            self._found[table] = self._difference(table, None, wanted[min(wanted)])

    def _difference(self, table: Table, held: Any, wanted: Any) -> Finding:
        row = held if held is not None else wanted
        place = ", ".join(f"{name}={_shown(value)}" for name, value in zip(table.key_names, row, strict=False))
        position = row[table.names.index("position")] if "position" in table.columns else None
        place = f"read.{table.name}_{self._claim.projection.build} {place}"
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

    def _breaches(self) -> Iterator[Finding]:
        for law in self._claim.projection.laws:
            query = law.first_breach.format(build=self._claim.projection.build)
            for position, place in self._connection.execute(query.encode()).fetchall():
                yield Finding("read_models", f"broken: {law.says}", position, place)


def _select(table: Table, build: str) -> bytes:
    columns = [
        sql.SQL("{}::text" if column.sql_type == "json" else "{}").format(sql.Identifier(name))
        for name, column in table.columns.items()
    ]
    return sql.SQL("SELECT {} FROM {}").format(sql.SQL(", ").join(columns), physical(table, build)).as_bytes()


def _range(after: int, upto: int | None) -> bytes:
    """In order of the key. Before the first page, also whatever claims to be from before the log began."""
    bounds = [b"position <= %d" % upto] if upto is not None else []
    bounds += [b"position > %d" % after] if after else []
    return (b" WHERE " + b" AND ".join(bounds) if bounds else b"") + b" ORDER BY 1, 2"


def _ordered(table: Table) -> bytes:
    return b" ORDER BY " + b", ".join(b"%d" % (n + 1) for n in range(table.key))


def _shown(value: Any) -> str:
    return value.hex() if isinstance(value, bytes) else repr(value) if isinstance(value, str) else str(value)
