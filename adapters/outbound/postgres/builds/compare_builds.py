"""Compares a new build with the active one at the same position: all tables and columns of both must be equal."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from adapters.outbound.postgres.project.write_changes import physical
from domain.times import EARLIEST, LATEST
from projections.engine.changes import Projection, Table

COMPARED_STRETCH = 20_000
"""Positions of an insert-only table that one statement compares: some 100 ms, then other sessions get their turn."""

AS_READ = f"least(greatest({{}}, '{EARLIEST.isoformat()}'), '{LATEST.isoformat()}')"
"""An old build may hold a time outside the range, from before there was one; events are read with the nearer end."""

AS_COMPARED: Mapping[str, str] = {"json": "{}::text", "timestamptz": AS_READ}

PARKED = b"SELECT account FROM read.parked WHERE projection = %s AND version = %s"


def find_difference(
    connection: psycopg.Connection,
    active: Projection,
    new: Projection,
    position: int,
    rest: Callable[[float], None] = lambda seconds: None,
) -> str | None:
    """The first difference between the two, as one line with the row's key and no other stored value; None if equal.

    connection: in a transaction; its snapshot has both builds at `position`.
    rest:       called after each statement with the seconds it took.

    It compares the tables with the same name and key, and in them the columns with the same name and type, except those
    in `new.unlike`. Accounts that the active build has parked are skipped; if there are any, so are tables without an
    account column.
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
    for after in range(0, position, COMPARED_STRETCH):
        yield after, after + COMPARED_STRETCH


def _query(
    active: Projection,
    new: Projection,
    ours: Table,
    theirs: Table,
    names: Sequence[str],
    stretch: tuple[int, int] | None,
) -> sql.Composed:
    """Query for the first difference: the key, whether each build has it, then for each column whether it differs.

    It reads no other value: a build may hold values that Python cannot, such as a year beyond 9999.
    """
    conditions: list[sql.Composable] = [sql.SQL("true")]
    if stretch is not None:
        conditions.append(sql.SQL("position > {} AND position <= {}").format(*stretch))
    if "account_id" in ours.columns:
        conditions.append(sql.SQL("account_id <> ALL (%(behind)s::text[])"))
    differences = [_differs(ours, name) for name in names] or [sql.Composed([sql.SQL("false")])]
    return sql.SQL(
        "SELECT {key}, a.is_there, n.is_there, {differences}"
        " FROM (SELECT true AS is_there, * FROM {active} WHERE {conditions}) a"
        " FULL JOIN (SELECT true AS is_there, * FROM {new} WHERE {conditions}) n USING ({names})"
        " WHERE a.is_there IS NULL OR n.is_there IS NULL OR {any} LIMIT 1"
    ).format(
        key=sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(name)) for name in ours.key_names),
        names=sql.SQL(", ").join(map(sql.Identifier, ours.key_names)),
        differences=sql.SQL(", ").join(differences),
        any=sql.SQL(" OR ").join(differences),
        active=physical(ours, active.build),
        new=physical(theirs, new.build),
        conditions=sql.SQL(" AND ").join(conditions),
    )


def _differs(table: Table, name: str) -> sql.Composed:
    column = AS_COMPARED.get(table.columns[name].sql_type, "{}")
    return sql.SQL(column + " IS DISTINCT FROM " + column).format(sql.Identifier("a", name), sql.Identifier("n", name))


def _told(table: Table, names: Sequence[str], row: TupleRow) -> str:
    key = ", ".join(f"{name}={value}" for name, value in zip(table.key_names, row, strict=False))
    in_active, in_new, *differs = row[table.key :]
    if not in_active:
        return f"{table.name} {key}: the active build has no such row"
    if not in_new:
        return f"{table.name} {key}: the row is missing"
    column = next(name for name, is_different in zip(names, differs, strict=True) if is_different)
    return f"{table.name} {key}: column {column} is not the active build's"


def _parked(connection: psycopg.Connection, build: Projection) -> set[str]:
    return {account for (account,) in connection.execute(PARKED, [build.name, build.version])}
