"""Applies migrations/functions/*.sql: one whole function of the ledger per file, replaced when its text is new.

Owner and grants stay as they are (CREATE OR REPLACE keeps them); running appends end with the old text.
"""

import hashlib
from collections.abc import Iterator, Sequence
from importlib import resources
from typing import NamedTuple

import psycopg

from adapters.outbound.postgres.setup.retry_locked import retry_locked
from adapters.outbound.postgres.wire.locks import SETUP

HISTORY = """
CREATE TABLE IF NOT EXISTS public.schema_functions (name text, sha256 text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (name, sha256))
"""
"""Every text that was ever applied. None is applied again: a process of an earlier release that restarts during an
upgrade must not restore its own text."""


class FunctionFile(NamedTuple):
    """`name`: functions/<function>.sql; `sql` replaces that function of schema `ledger`."""

    name: str
    sql: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def function_files() -> Iterator[FunctionFile]:
    """The shipped files, by name."""
    for file in sorted(resources.files("migrations").joinpath("functions").iterdir(), key=lambda f: f.name):
        if file.name.endswith(".sql"):
            yield FunctionFile(f"functions/{file.name}", file.read_text("utf-8"))


def apply_functions(connection: psycopg.Connection, files: Sequence[FunctionFile]) -> list[str]:
    """Replace all functions with a text that is new to this database, in one transaction; returns their files' names.

    connection: the session that holds the migration lock.
    Raises:     psycopg.Error if one fails; then none is replaced.
    """
    connection.execute(HISTORY)
    had = set(connection.execute("SELECT name, sha256 FROM public.schema_functions").fetchall())
    fresh = [file for file in files if (file.name, file.sha256) not in had]
    if fresh:
        retry_locked(connection, lambda: _replace(connection, fresh))
    return [file.name for file in fresh]


def _replace(connection: psycopg.Connection, files: Sequence[FunctionFile]) -> None:
    connection.execute("SELECT pg_advisory_xact_lock(%s)", [SETUP])
    for file in files:
        connection.execute(file.sql.encode())
        connection.execute(
            "INSERT INTO public.schema_functions (name, sha256) VALUES (%s, %s)", [file.name, file.sha256]
        )
    connection.execute("REVOKE ALL ON ALL FUNCTIONS IN SCHEMA ledger FROM PUBLIC")  # a new one is open to all
