"""Read models rebuilt in memory, change by change: what the tables must hold if they were not tampered with (P4)."""

from collections.abc import Iterable

from projections.engine.changes import Add, Change, Insert, Put, Table
from projections.engine.reader import NamedRow
from projections.engine.rows import Key, Rows


class Replay:
    """Tables of one projection. Rows of insert-only tables collect in `inserted` until `take_inserted`."""

    def __init__(self, tables: Iterable[Table]) -> None:
        self.inserted: dict[Table, list[tuple[object, ...]]] = {}
        self._rows: dict[Table, Rows[NamedRow]] = {}
        for table in tables:
            if table.insert_only:
                self.inserted[table] = []
            else:
                self._rows[table] = Rows(table, table.defaults.copy)

    def apply(self, changes: Iterable[Change]) -> None:
        for change in changes:
            if type(change) is Insert:
                self.inserted[change.table] += change.rows
            elif type(change) is Add:
                row = self._rows[change.table].touch(change.key)
                for column, delta in change.deltas.items():
                    row[column] += delta
                if change.seen_at:
                    row["position"] = change.seen_at
            elif type(change) is Put:
                self._rows[change.table].touch(change.key).update(change.values)
            else:
                self._rows[change.table].delete(change.key)

    def take_inserted(self, table: Table) -> list[tuple[object, ...]]:
        """The rows inserted since the last call."""
        rows, self.inserted[table] = self.inserted[table], []
        return rows

    def rows(self, table: Table) -> dict[Key, tuple[object, ...]]:
        """Whole rows of a table that is not insert-only, by key, in no particular order."""
        return {key: (*key, *row.values()) for key, row in self._rows[table].items()}
