"""Comparing a new build with the active one, at one position of both: whatever both know must be equal."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import psycopg
from psycopg import sql

from adapters.outbound.postgres.write_changes import physical
from projections.changes import Projection, Table

STRETCH = 20_000
"""Positions of an insert-only table that one statement compares: some 100 ms, after which others get their turn."""

PARKED = b"SELECT account FROM read.parked WHERE projection = %s AND version = %s"


def find_difference(
    connection: psycopg.Connection[Any],
    active: Projection,
    new: Projection,
    position: int,
    rest: Callable[[float], None] = lambda seconds: None,
) -> str | None:
    """The first difference between the two, as one line without stored values but the row's key; None if there is none.

    connection: inside a transaction whose snapshot has both builds at `position`.
    rest:       called after each statement with the seconds that it took.

    Compared are the tables that both have under one name and key, and their columns of one name and type, but for what
    `new.unlike` names. Accounts that the active build had to leave behind are left out; a table that does not say whose
    its rows are is left out with them.
    """
    behind, worse = _parked(connection, active), _parked(connection, new)
    if worse - behind:
        return f"it cannot project account {min(worse - behind)}, which the active build can"
    for ours, theirs in _common_tables(active, new):
        if behind and "account_id" not in ours.columns:
            continue
        names = _common_columns(ours, theirs, new.unlike)
        for stretch in _stretches(ours, position):
            began_s = time.monotonic()
            query = _query(active, new, ours, theirs, names, stretch)
            row = connection.execute(query, {"behind": sorted(behind)}, binary=True).fetchone()
            if row is not None:
                return _told(ours, names, row)
            rest(time.monotonic() - began_s)
    return None


def _common_tables(active: Projection, new: Projection) -> Iterator[tuple[Table, Table]]:
    by_name = {table.name: table for table in new.tables if table.name not in new.unlike}
    for table in active.tables:
        other = by_name.get(table.name)
        if other is not None and other.key_names == table.key_names:
            yield table, other


def _common_columns(ours: Table, theirs: Table, unlike: frozenset[str]) -> Sequence[str]:
    return [
        name
        for name in ours.names[ours.key :]
        if name in theirs.columns
        and theirs.columns[name].sql_type == ours.columns[name].sql_type
        and f"{ours.name}.{name}" not in unlike
    ]


def _stretches(table: Table, position: int) -> Iterator[tuple[int, int] | None]:
    if not table.insert_only:
        yield None
        return
    for after in range(0, position, STRETCH):
        yield after, after + STRETCH


def _query(
    active: Projection,
    new: Projection,
    ours: Table,
    theirs: Table,
    names: Sequence[str],
    stretch: tuple[int, int] | None,
) -> sql.Composed:
    """One row for the first difference: the key, whether each has it, then each one's columns."""
    conditions = [sql.SQL("true")]
    if stretch is not None:
        conditions.append(sql.SQL("position > {} AND position <= {}").format(*map(sql.Literal, stretch)))  # type: ignore[arg-type]
    if "account_id" in ours.columns:
        conditions.append(sql.SQL("account_id <> ALL (%(behind)s::text[])"))
    of_active, of_new = _columns("a", ours, names), _columns("n", theirs, names)
    differs = sql.SQL("({}) IS DISTINCT FROM ({})").format(of_active, of_new) if names else sql.SQL("false")
    return sql.SQL(
        "SELECT {key}, a.is_there, n.is_there, {of_active}, {of_new}"
        " FROM (SELECT true AS is_there, * FROM {active} WHERE {conditions}) a"
        " FULL JOIN (SELECT true AS is_there, * FROM {new} WHERE {conditions}) n USING ({key})"
        " WHERE a.is_there IS NULL OR n.is_there IS NULL OR {differs} LIMIT 1"
    ).format(
        key=sql.SQL(", ").join(map(sql.Identifier, ours.key_names)),
        of_active=of_active if names else sql.SQL("NULL"),
        of_new=of_new if names else sql.SQL("NULL"),
        active=physical(ours, active.build),
        new=physical(theirs, new.build),
        conditions=sql.SQL(" AND ").join(conditions),
        differs=differs,
    )


def _columns(of: str, table: Table, names: Sequence[str]) -> sql.Composed:
    columns = [
        sql.SQL("{}::text" if table.columns[name].sql_type == "json" else "{}").format(sql.Identifier(of, name))
        for name in names
    ]
    return sql.SQL(", ").join(columns)


def _told(table: Table, names: Sequence[str], row: Sequence[Any]) -> str:
    values = row[: table.key]
    key = ", ".join(f"{name}={_shown(value)}" for name, value in zip(table.key_names, values, strict=True))
    in_active, in_new = row[table.key], row[table.key + 1]
    if not in_active:
        return f"{table.name} {key}: the active build has no such row"
    if not in_new:
        return f"{table.name} {key}: the row is missing"
    rest = row[table.key + 2 :]
    pairs = zip(names, rest[: len(names)], rest[len(names) :], strict=True)
    column = next(name for name, active, new in pairs if active != new)
    return f"{table.name} {key}: column {column} is not the active build's"


def _shown(value: Any) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)


def _parked(connection: psycopg.Connection[Any], build: Projection) -> set[str]:
    return {account for (account,) in connection.execute(PARKED, [build.name, build.version])}
