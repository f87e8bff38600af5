"""Applies migrations/*.sql: numbered, checksummed, each in its own transaction, one runner; then functions."""

import hashlib
import re
import time
from collections.abc import Iterator
from importlib import resources
from typing import NamedTuple

import psycopg

from adapters.outbound.postgres.setup.apply_functions import apply_functions, function_files
from adapters.outbound.postgres.setup.retry_locked import retry_locked
from adapters.outbound.postgres.wire.locks import MIGRATE

NAME = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")
WAIT_S = 120.0
"""Wait for another process that migrates; a container then restarts and waits again."""


class MigrationFault(Exception):
    """The shipped migrations do not fit those applied to the database; the message names them and the remedy."""


class Migration(NamedTuple):
    version: str
    name: str
    sql: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def migrations() -> Iterator[Migration]:
    """The shipped files in order. Raises MigrationFault for a misnamed or doubled number."""
    seen: dict[str, str] = {}
    for file in sorted(resources.files("migrations").iterdir(), key=lambda f: f.name):
        if not file.name.endswith(".sql"):
            continue
        match = NAME.fullmatch(file.name)
        if match is None:
            raise MigrationFault(f"migration {file.name} is not named like 0001_what_it_does.sql")
        if match[1] in seen:
            raise MigrationFault(f"two migrations are numbered {match[1]}: {seen[match[1]]}, {file.name}")
        seen[match[1]] = file.name
        yield Migration(match[1], file.name, file.read_text("utf-8"))


def migrate(info: str) -> list[str]:
    """Bring the database at `info` (the owner's) up to date; returns the names of the files applied now.

    Raises: MigrationFault when a shipped file was changed after it was applied, or another process migrates for too
            long; psycopg.Error if one fails.
    """
    with psycopg.connect(info, autocommit=True) as connection:
        _wait_for_lock(connection)
        connection.execute(
            "CREATE TABLE IF NOT EXISTS public.schema_migrations (version text PRIMARY KEY, name text NOT NULL,"
            " sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
        )
        rows = connection.execute("SELECT version, sha256 FROM public.schema_migrations").fetchall()
        had: dict[str, str] = dict(rows)
        numbered = [m.name for m in migrations() if _apply(connection, m, had.get(m.version))]
        return numbered + apply_functions(connection, list(function_files()))


def _wait_for_lock(connection: psycopg.Connection) -> None:
    """Poll instead of blocking in the server: a waiting snapshot deadlocks CREATE INDEX CONCURRENTLY."""
    deadline_s = time.monotonic() + WAIT_S
    while time.monotonic() < deadline_s:
        row = connection.execute("SELECT pg_try_advisory_lock(%s)", [MIGRATE]).fetchone()
        if row and row[0]:
            return
        time.sleep(0.1)
    raise MigrationFault(f"another process has been migrating this database for {WAIT_S:.0f} s; see what it waits for")


def _apply(connection: psycopg.Connection, migration: Migration, had: object) -> bool:
    if had is not None:
        if had != migration.sha256:
            raise MigrationFault(f"{migration.name} was changed after it was applied; write a new migration instead")
        return False
    retry_locked(connection, lambda: _run(connection, migration))
    return True


def _run(connection: psycopg.Connection, migration: Migration) -> None:
    connection.execute(migration.sql.encode())
    connection.execute(
        "INSERT INTO public.schema_migrations (version, name, sha256) VALUES (%s, %s, %s)",
        [migration.version, migration.name, migration.sha256],
    )
