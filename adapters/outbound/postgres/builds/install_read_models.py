"""Makes the read schema: the projector's own tables and those of every current build. Safe to repeat."""

from collections.abc import Sequence

import psycopg
import structlog

from adapters.outbound.postgres.wire.locks import LEAD_ALL_BUILDS, SETUP
from domain.log import LOG_ID
from projections.engine.changes import Projection
from projections.engine.registry import current_of, tables_sql, view_names, views_sql

VIEWS_LOCK_TIMEOUT = "500ms"
"""Replacing a view waits for running reads, and later reads wait behind it: at most this long."""

OWN_TABLES = b"""
CREATE TABLE IF NOT EXISTS read.positions (
    projection text        NOT NULL,
    log        int         NOT NULL,
    version    int         NOT NULL,   -- of the projection that built the tables
    position   bigint      NOT NULL,   -- of the last event whose effects they hold
    updated_at timestamptz NOT NULL,
    CONSTRAINT positions_pkey PRIMARY KEY (projection, version, log)
) WITH (fillfactor = 10);              -- updated by every page: room for the new versions on the same page

-- The build that readers use. They read this row in their own snapshot: one pinned before a switch stays with its own.
CREATE TABLE IF NOT EXISTS read.active (
    projection text        NOT NULL,
    log        int         NOT NULL,
    version    int         NOT NULL,
    since      timestamptz NOT NULL DEFAULT clock_timestamp(),   -- for people
    PRIMARY KEY (projection, log)
);

-- What belongs to a build, for a release that no longer ships it, and why it is not active, if it differs.
CREATE TABLE IF NOT EXISTS read.builds (
    projection text        NOT NULL,
    version    int         NOT NULL,
    tables     text[]      NOT NULL,
    views      text[]      NOT NULL,
    made_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    difference text,                   -- from the active build, found when both were compared
    PRIMARY KEY (projection, version)
);

-- A sequence of events that stopped at one which cannot be projected: its figures are not provable beyond.
CREATE TABLE IF NOT EXISTS read.parked (
    projection text        NOT NULL,
    version    int         NOT NULL,
    account    text        NOT NULL,   -- the account, or the stream where the event does not tell
    position   bigint      NOT NULL,   -- of the poison event
    error      text        NOT NULL,
    parked_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT parked_pkey PRIMARY KEY (projection, version, account)
);
"""

ONE_BUILD_EACH = """
SELECT count(*) = 1 FROM pg_constraint
 WHERE conrelid = to_regclass('read.positions') AND contype = 'p' AND cardinality(conkey) = 2
"""

BRING_OVER = b"""
ALTER TABLE read.positions DROP CONSTRAINT positions_pkey,
    ADD CONSTRAINT positions_pkey PRIMARY KEY (projection, version, log);
ALTER TABLE read.parked ADD COLUMN version int;
UPDATE read.parked k SET version = p.version FROM read.positions p WHERE p.projection = k.projection;
DELETE FROM read.parked WHERE version IS NULL;
ALTER TABLE read.parked ALTER COLUMN version SET NOT NULL, DROP CONSTRAINT parked_pkey,
    ADD CONSTRAINT parked_pkey PRIMARY KEY (projection, version, account);
INSERT INTO read.active (projection, log, version) SELECT projection, log, version FROM read.positions;
"""
"""Builds of a release that kept one build of each read model, in the tables that it left."""

log = structlog.get_logger()


def install_read_models(connection: psycopg.Connection, builds: Sequence[Projection]) -> None:
    """Create what is missing: the current build of each read model, beside all earlier builds.

    Runs as the owner of schema `read` (the projector); ensure_roles grants reading. If nothing was built yet, all
    builds are active at once; otherwise a new one becomes active after it has caught up and was compared.
    """
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [SETUP])
        if connection.execute("SELECT to_regnamespace('read')").fetchone() == (None,):
            connection.execute("CREATE SCHEMA read")
        comes_over = connection.execute(ONE_BUILD_EACH).fetchone() == (True,)
        if comes_over:
            connection.execute("SELECT pg_advisory_xact_lock(%s)", [LEAD_ALL_BUILDS])
        connection.execute(OWN_TABLES, prepare=False)
        if comes_over:
            connection.execute(BRING_OVER, prepare=False)
        built = _built(connection)
        current = current_of(builds).values()
        for build in builds:
            if build in current or (build.name, build.version) in built:
                connection.execute(tables_sql(build).encode(), prepare=False)
                _note(connection, build, activate=not built)
    for build in _to_be_shown(connection, builds):
        show_to_people(connection, build)


def has_read_models(connection: psycopg.Connection, builds: Sequence[Projection]) -> bool:
    """Whether the current builds were installed: the same transaction inserts their positions and all the rest."""
    if connection.execute("SELECT to_regclass('read.active')").fetchone() == (None,):
        return False
    return {(build.name, build.version) for build in current_of(builds).values()} <= _built(connection)


def show_to_people(connection: psycopg.Connection, build: Projection) -> bool:
    """Point the views for people at `build`; False if other sessions keep them locked for too long.

    If columns differ from the other build's, CREATE OR REPLACE would fail, so the views are dropped first.
    """
    try:
        with connection.transaction():
            connection.execute(f"SET LOCAL lock_timeout = '{VIEWS_LOCK_TIMEOUT}'".encode())
            try:
                with connection.transaction():
                    connection.execute(views_sql(build).encode(), prepare=False)
            except psycopg.errors.InvalidTableDefinition:
                names = ", ".join(f"read.{name}" for name in view_names(build))
                connection.execute(f"DROP VIEW IF EXISTS {names}".encode(), prepare=False)
                connection.execute(views_sql(build).encode(), prepare=False)
    except (psycopg.errors.LockNotAvailable, psycopg.errors.DependentObjectsStillExist) as error:
        log.warning("views for people still show another build", read_model=build.name, error=str(error).strip())
        return False
    return True


def _built(connection: psycopg.Connection) -> set[tuple[str, int]]:
    return set(connection.execute("SELECT projection, version FROM read.positions WHERE log = %s", [LOG_ID]).fetchall())


def _note(connection: psycopg.Connection, build: Projection, *, activate: bool) -> None:
    """Insert its position (genesis if it is new) and the names of its tables and views."""
    connection.execute(
        "INSERT INTO read.positions (projection, log, version, position, updated_at) VALUES (%s, %s, %s, 0, now())"
        " ON CONFLICT DO NOTHING",
        [build.name, LOG_ID, build.version],
    )
    tables = [f"{table.name}_{build.build}" for table in build.tables]
    connection.execute(
        "INSERT INTO read.builds (projection, version, tables, views) VALUES (%s, %s, %s, %s)"
        " ON CONFLICT (projection, version) DO NOTHING",
        [build.name, build.version, tables, list(view_names(build))],
    )
    if activate:
        connection.execute(
            "INSERT INTO read.active (projection, log, version) VALUES (%s, %s, %s)",
            [build.name, LOG_ID, build.version],
        )


def _to_be_shown(connection: psycopg.Connection, builds: Sequence[Projection]) -> list[Projection]:
    """The active builds, if this release knows them."""
    rows = connection.execute("SELECT projection, version FROM read.active WHERE log = %s", [LOG_ID]).fetchall()
    return [build for build in builds if (build.name, build.version) in rows]
