"""Writes a page's merged changes: a handful of statements, however many rows."""

from collections.abc import Mapping, Sequence
from functools import cache

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from adapters.outbound.postgres.project.encode_columns import column_array
from adapters.outbound.postgres.wire.array_params import ArrayParam
from projections.engine.changes import Table
from projections.engine.page import Page, RowChange
from projections.engine.rows import Key

_COPIED_AS: Mapping[str, str] = {"json": "text"}
"""psycopg would encode a text as a JSON string, but our text already is JSON; both types have the same bytes."""


def physical(table: Table, build: str) -> sql.Identifier:
    return sql.Identifier("read", f"{table.name}_{build}")


def write_page(connection: psycopg.Connection, page: Page, build: str) -> None:
    """Apply `page` to the tables of `build`, inside the caller's transaction: deletes, rows, then inserts."""
    for table, keys in page.deletes.items():
        _delete(connection, table, build, list(keys))
    for table, rows in page.rows.items():
        for columns, changes in _by_columns(dict(rows.items())).items():
            _upsert(connection, table, build, *columns, changes)
    for table, inserted in page.inserts.items():
        _copy(connection, table, build, inserted)


def _delete(connection: psycopg.Connection, table: Table, build: str, keys: Sequence[Key]) -> None:
    arrays = _arrays(table, table.key_names[: table.deletes_by], keys)
    connection.execute(_delete_sql(table, build), arrays, binary=True)


def _by_columns(rows: Mapping[Key, RowChange]) -> dict[tuple[tuple[str, ...], tuple[str, ...]], list[TupleRow]]:
    """Rows by the columns they set and add to: one statement each. Each has every counter that any row adds to (adding
    zero changes nothing), so the number of statements depends only on the columns set."""
    counters = tuple(sorted({column for row in rows.values() for column in row.adds}))
    groups: dict[tuple[tuple[str, ...], tuple[str, ...]], list[TupleRow]] = {}
    for key, row in rows.items():
        added = tuple(column for column in counters if column not in row.puts) if row.adds else ()
        values = (*key, *row.puts.values(), *(row.adds.get(column, 0) for column in added))
        groups.setdefault((tuple(row.puts), added), []).append(values)
    return groups


def _upsert(
    connection: psycopg.Connection,
    table: Table,
    build: str,
    puts: tuple[str, ...],
    adds: tuple[str, ...],
    rows: Sequence[TupleRow],
) -> None:
    arrays = _arrays(table, (*table.key_names, *puts, *adds), rows)
    connection.execute(_upsert_sql(table, build, puts, adds), arrays, binary=True)


def _arrays(table: Table, names: Sequence[str], rows: Sequence[TupleRow]) -> list[ArrayParam]:
    columns = zip(names, zip(*rows, strict=True), strict=True)
    return [column_array(table.columns[name], values) for name, values in columns]


def _copy(connection: psycopg.Connection, table: Table, build: str, rows: Sequence[TupleRow]) -> None:
    with connection.cursor() as cursor, cursor.copy(_copy_sql(table, build)) as copy:
        copy.set_types([_COPIED_AS.get(column.sql_type, column.sql_type) for column in table.columns.values()])
        for row in rows:
            copy.write_row(row)


# The statements below are cached: one per table and set of columns, a few dozen in all.


@cache
def _delete_sql(table: Table, build: str) -> bytes:
    names = table.key_names[: table.deletes_by]
    return (
        sql.SQL("DELETE FROM {} AS t USING unnest({}) AS u ({}) WHERE {}")
        .format(physical(table, build), _placeholders(names), _names(names), _matching(names))
        .as_bytes()
    )


@cache
def _upsert_sql(table: Table, build: str, puts: tuple[str, ...], adds: tuple[str, ...]) -> bytes:
    names = (*table.key_names, *puts, *adds)
    changed = [sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name)) for name in puts]
    changed += [sql.SQL("{0} = t.{0} + excluded.{0}").format(sql.Identifier(name)) for name in adds]
    return (
        sql.SQL("INSERT INTO {} AS t ({}) SELECT * FROM unnest({}) ON CONFLICT ({}) DO UPDATE SET {}")
        .format(
            physical(table, build),
            _names(names),
            _placeholders(names),
            _names(table.key_names),
            sql.SQL(", ").join(changed),
        )
        .as_bytes()
    )


@cache
def _copy_sql(table: Table, build: str) -> bytes:
    return (
        sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)")
        .format(physical(table, build), _names(table.names))
        .as_bytes()
    )


def _names(names: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))


def _placeholders(names: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join([sql.SQL("%b")] * len(names))


def _matching(names: Sequence[str]) -> sql.Composed:
    return sql.SQL(" AND ").join([sql.SQL("t.{0} = u.{0}").format(sql.Identifier(name)) for name in names])
