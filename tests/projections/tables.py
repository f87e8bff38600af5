"""Read models as rows: as the database holds them, and as a replay says they must be."""

from collections.abc import Iterable, Sequence
from typing import Any

import psycopg
from psycopg import sql

from adapters.outbound.postgres.project.write_changes import physical
from adapters.outbound.postgres.wire.read_times import TOTAL_TIMES
from projections.engine.changes import Logged, Projection, Table
from projections.engine.registry import PROJECTIONS
from projections.engine.replay import Replay

Rows = list[tuple[Any, ...]]


def stored_tables(info: str, projections: Sequence[Projection] = PROJECTIONS) -> dict[str, Rows]:
    """Every table of the read models by name, rows in order of their key."""
    with psycopg.connect(info, autocommit=True, context=TOTAL_TIMES) as connection:
        return {
            table.name: _stored(connection, table, projection.build)
            for projection in projections
            for table in projection.tables
        }


def _stored(connection: psycopg.Connection[Any], table: Table, build: str) -> Rows:
    columns = [
        sql.SQL("{}::text" if column.sql_type == "json" else "{}").format(sql.Identifier(name))
        for name, column in table.columns.items()
    ]
    query = sql.SQL("SELECT {} FROM {}").format(sql.SQL(", ").join(columns), physical(table, build))
    return _in_order(table, connection.execute(query, binary=True).fetchall())


def replayed_tables(events: Iterable[Logged], projections: Sequence[Projection] = PROJECTIONS) -> dict[str, Rows]:
    """The same, from a replay in memory."""
    told = list(events)
    tables: dict[str, Rows] = {}
    for projection in projections:
        replay = Replay(projection.tables)
        for event in told:
            replay.apply(projection.project(event))
        for table in projection.tables:
            rows = replay.inserted[table] if table.insert_only else list(replay.rows(table).values())
            tables[table.name] = _in_order(table, rows)
    return tables


def replayed_rows(projection: Projection, table: Table, events: Iterable[Logged]) -> list[dict[str, Any]]:
    """One table's rows by column."""
    return [dict(zip(table.names, row, strict=True)) for row in replayed_tables(events, [projection])[table.name]]


def _in_order(table: Table, rows: Rows) -> Rows:
    return sorted(rows, key=lambda row: row[: table.key])
