"""Makes the read schema: the projector's own tables, and those of every projection. Harmless to repeat."""

from collections.abc import Sequence
from typing import Any

import psycopg

from domain.log import LOG_ID
from projections.changes import Projection
from projections.registry import tables_sql, views_sql

INSTALL_LOCK = 7_426_930_117
"""Two projectors that start at once would trip over each other's CREATE."""

OWN_TABLES = b"""
CREATE TABLE IF NOT EXISTS read.positions (
    projection text        NOT NULL,
    log        int         NOT NULL,
    version    int         NOT NULL,   -- of the projection that built the tables
    position   bigint      NOT NULL,   -- of the last event whose effects they hold
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (projection, log)
) WITH (fillfactor = 10);              -- updated by every page: room for the new versions on the same page

-- A sequence of events that stopped at one which cannot be projected: its figures are not provable beyond.
CREATE TABLE IF NOT EXISTS read.parked (
    projection text        NOT NULL,
    account    text        NOT NULL,   -- the account, or the stream where the event does not tell
    position   bigint      NOT NULL,   -- of the poison event
    error      text        NOT NULL,
    parked_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (projection, account)
);
"""


class VersionMismatch(Exception):
    """The tables were built by another version of a projection: it has to be rebuilt, not continued."""


def install_read_models(connection: psycopg.Connection[Any], projections: Sequence[Projection]) -> None:
    """Create what is missing. Runs as the owner of schema `read` (the projector); who may read it is ensure_roles' say.

    Raises: VersionMismatch if a projection's tables are of another version.
    """
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [INSTALL_LOCK])
        if connection.execute("SELECT to_regnamespace('read')").fetchone() == (None,):
            connection.execute("CREATE SCHEMA read")
        connection.execute(OWN_TABLES, prepare=False)
        for projection in projections:
            connection.execute(tables_sql(projection).encode(), prepare=False)
            connection.execute(views_sql(projection).encode(), prepare=False)
            _start_at_genesis(connection, projection)


def has_read_models(connection: psycopg.Connection[Any], projections: Sequence[Projection]) -> bool:
    """Whether these versions were installed: their positions came to be in the same transaction as all the rest."""
    if connection.execute("SELECT to_regclass('read.positions')").fetchone() == (None,):
        return False
    found = connection.execute("SELECT projection, version FROM read.positions WHERE log = %s", [LOG_ID]).fetchall()
    return {(projection.name, projection.version) for projection in projections} <= set(found)


def _start_at_genesis(connection: psycopg.Connection[Any], projection: Projection) -> None:
    connection.execute(
        "INSERT INTO read.positions (projection, log, version, position, updated_at) VALUES (%s, %s, %s, 0, now())"
        " ON CONFLICT DO NOTHING",
        [projection.name, LOG_ID, projection.version],
    )
    row = connection.execute(
        "SELECT version FROM read.positions WHERE projection = %s AND log = %s", [projection.name, LOG_ID]
    ).fetchone()
    if row is None or row[0] != projection.version:
        raise VersionMismatch(
            f"read model {projection.name} was built by version {row and row[0]}, this is {projection.version}"
        )
