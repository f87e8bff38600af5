"""The changes of one page of the log, merged per row, to be written in bulk."""

from collections.abc import Iterable, Mapping

from projections.engine.changes import Add, Change, Insert, Put, Table
from projections.engine.reader import NamedRow
from projections.engine.rows import Key, Rows


class RowChange:
    """The merged changes of one row: columns set, columns added to. No column is in both."""

    __slots__ = ("adds", "puts")

    def __init__(self) -> None:
        self.puts: NamedRow = {}
        self.adds: dict[str, int] = {}

    def put(self, values: Mapping[str, object]) -> None:
        if self.adds:
            for column in values:
                self.adds.pop(column, None)
        self.puts.update(values)

    def add(self, deltas: dict[str, int], seen_at: int) -> None:
        puts, adds = self.puts, self.adds
        for column, delta in deltas.items():
            if column in puts:
                puts[column] += delta
            else:
                adds[column] = adds.get(column, 0) + delta
        if seen_at:
            puts["position"] = seen_at


class Page:
    """Merged changes. Applied in the order deletes, rows, inserts, they leave the tables as the single changes would:
    a row touched after its deletion starts from its defaults, one deleted after it was touched is only deleted.
    """

    def __init__(self) -> None:
        self.inserts: dict[Table, list[tuple[object, ...]]] = {}
        self.rows: dict[Table, Rows[RowChange]] = {}
        self.deletes: dict[Table, dict[Key, None]] = {}

    def merge(self, changes: Iterable[Change]) -> None:
        for change in changes:
            table = change.table
            if type(change) is Insert:
                self.inserts.setdefault(table, []).extend(change.rows)
            elif type(change) is Add:
                self._rows(table).touch(change.key).add(change.deltas, change.seen_at)
            elif type(change) is Put:
                self._rows(table).touch(change.key).put(change.values)
            else:
                self._rows(table).delete(change.key)
                self.deletes.setdefault(table, {})[change.key] = None

    def _rows(self, table: Table) -> Rows[RowChange]:
        rows = self.rows.get(table)
        if rows is None:
            rows = self.rows[table] = Rows(table, RowChange)
        return rows
