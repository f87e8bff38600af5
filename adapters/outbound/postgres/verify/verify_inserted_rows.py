"""Verifies insert-only tables over a stretch of the log: each row follows from one event, in the same order."""

from collections.abc import Sequence
from itertools import zip_longest

import psycopg
from psycopg.rows import TupleRow

from adapters.outbound.postgres.verify.cut_log import Stretch
from adapters.outbound.postgres.verify.verify_read_models import BuildClaim, ReadModelCheck, is_as_read
from adapters.outbound.postgres.wire.read_log import LogEntry
from domain.proof.finding import Finding
from projections.engine.changes import Table

MOST_ROWS = 1_000_000
"""No stretch makes so many (five per event); a table with more has too many, and must not fill the memory."""


class InsertedRowsCheck:
    """The insert-only tables of one read model. Its rows are read at once, and decoded as the events are replayed."""

    def __init__(self, connection: psycopg.Connection, claim: BuildClaim, stretch: Stretch) -> None:
        """connection: pinned."""
        self._claim = claim
        self._check = ReadModelCheck(connection, claim)
        self._held = {
            table: connection.execute(claim.select(table) + _within(stretch), binary=True)
            for table in claim.projection.tables
            if table.insert_only and claim.is_checked(table)
        }

    def walk(self, entries: Sequence[LogEntry]) -> None:
        """Take the next events of the stretch, in order."""
        self._check.walk(entries)
        for table, replayed in self._check.take_inserted():
            if table not in self._held:
                continue
            expected = [self._claim.checked(table, row) for row in replayed] if self._claim.unlike else replayed
            rows = self._held[table].fetchmany(len(expected)) if expected else []
            if rows != expected:
                difference = _first_difference(table, rows, expected)
                if difference is not None:
                    self._check.note(table, *difference)

    def end(self) -> dict[str, Finding]:
        """The first finding for each place."""
        for table, rows in self._held.items():
            extra = rows.fetchone()
            if extra is not None:
                self._check.note(table, extra, None)
        return self._check.found


def _first_difference(
    table: Table, rows: Sequence[TupleRow], expected: Sequence[TupleRow]
) -> tuple[TupleRow | None, TupleRow | None] | None:
    """The first wrong row: (held, wanted), with None for a missing one. `rows` and `expected` are in key order."""
    pairs = zip_longest(rows, expected)
    differing = ((held, wanted) for held, wanted in pairs if held != wanted and not is_as_read(held, wanted))
    held, wanted = next(differing, (None, None))
    if held is wanted is None:
        return None
    if held is None or wanted is None or held[: table.key] == wanted[: table.key]:
        return held, wanted
    return (held, None) if held[: table.key] < wanted[: table.key] else (None, wanted)


def _within(stretch: Stretch) -> bytes:
    """SQL for the stretch, ordered by the key, which is (position) or (position, line)."""
    return stretch.where("position").encode() + b" ORDER BY 1, 2 LIMIT %d" % MOST_ROWS
