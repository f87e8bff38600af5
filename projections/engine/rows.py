"""Rows of one table in memory, found by key and deleted by the leading part of their key."""

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from projections.engine.changes import Table

Key = tuple[object, ...]
R = TypeVar("R")


class Rows(Generic[R]):
    """`touch` finds a row, or makes it with `make`. Rows that are deleted together are kept together."""

    __slots__ = ("_by_key", "_by_prefix", "_make", "_prefix")

    def __init__(self, table: Table, make: Callable[[], R]) -> None:
        self._make = make
        self._prefix = table.deletes_by
        self._by_key: dict[Key, R] = {}
        self._by_prefix: dict[Key, dict[Key, R]] = {}

    def touch(self, key: Key) -> R:
        rows = self._rows_beside(key) if self._prefix else self._by_key
        row = rows.get(key)
        if row is None:
            row = rows[key] = self._make()
        return row

    def delete(self, prefix: Key) -> None:
        self._by_prefix.pop(prefix, None)

    def _rows_beside(self, key: Key) -> dict[Key, R]:
        prefix = key[: self._prefix]
        found = self._by_prefix.get(prefix)
        if found is None:
            found = self._by_prefix[prefix] = {}
        return found

    def items(self) -> Iterator[tuple[Key, R]]:
        """All rows by key, in no particular order."""
        yield from self._by_key.items()
        for rows in self._by_prefix.values():
            yield from rows.items()
