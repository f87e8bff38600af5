"""DDL of declared tables. The DDL of a shipped version never changes (tests/golden/read_models.json)."""

from collections.abc import Iterator, Mapping

from projections.engine.changes import Column, Index, SqlType, Table

_SQL_NAMES: Mapping[SqlType, str] = {"int8": "bigint", "bool": "boolean"}

FROZEN_AT_ONCE = "autovacuum_freeze_min_age = 0"
"""For insert-only tables: later vacuums skip the rows that the first one froze (docs/decisions/0008)."""


def create_table(table: Table) -> str:
    """CREATE TABLE and its indexes, harmless if they exist; {build} in the names is the suffix of a build's tables."""
    lines = ",\n".join(f"    {line}" for line in _lines(table))
    created = f"CREATE TABLE IF NOT EXISTS {_physical(table)} (\n{lines}\n){_storage(table)};"
    return "\n".join([created, *(_create_index(table, index) for index in table.indexes)])


def _lines(table: Table) -> Iterator[str]:
    for name, column in table.columns.items():
        yield f"{name} {_SQL_NAMES.get(column.sql_type, column.sql_type)}{_constraint(table, name, column)}"
    if table.key > 1:
        yield f"PRIMARY KEY ({', '.join(table.key_names)})"


def _constraint(table: Table, name: str, column: Column) -> str:
    if name in table.key_names:
        return " NOT NULL" if table.key > 1 else " PRIMARY KEY"
    if table.insert_only:
        return " NOT NULL" if column.is_required or column.default is not None else ""
    return "" if column.default is None else f" NOT NULL DEFAULT {_literal(column)}"


def _literal(column: Column) -> str:
    return "false" if column.sql_type == "bool" else "0" if column.sql_type == "int8" else "''"


def _storage(table: Table) -> str:
    if table.insert_only:
        return f" WITH ({FROZEN_AT_ONCE})"
    return f" WITH (fillfactor = {table.fillfactor})" if table.fillfactor < 100 else ""


def _create_index(table: Table, index: Index) -> str:
    name = f"{table.name}_{{build}}_{index.name}_idx"
    where = f" WHERE {index.where}" if index.where else ""
    return f"CREATE INDEX IF NOT EXISTS {name} ON {_physical(table)} ({index.columns}){where};"


def _physical(table: Table) -> str:
    return f"read.{table.name}_{{build}}"
