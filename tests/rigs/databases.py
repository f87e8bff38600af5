"""Real PostgreSQL for tests: one server per test run, a fresh copy of the migrated template per test."""

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from adapters.embedded.postgres import EmbeddedPostgres
from adapters.outbound.postgres.setup.ensure_roles import Roles, ensure_roles
from adapters.outbound.postgres.setup.migrate import migrate
from adapters.outbound.postgres.wire.connection import conninfo

TEMPLATE = "gatewayz_template"
ROLES = Roles.of(TEMPLATE)
PASSWORD = "for-tests-only"


class TestServer:
    """The run's server. Started by pytest's controller process, whose death ends it.

    settings: of postgresql.conf, besides ours; for a server of a test's own.
    """

    __test__ = False

    def __init__(self, **settings: str) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="gatewayz-tests-"))
        self.home.chmod(0o711)  # the unprivileged user of PostgreSQL must pass through
        self.postgres = EmbeddedPostgres(self.home / "pg", settings=settings)
        self.postgres.start()
        self.dsn = self.postgres.dsn()
        prepare_template(self.dsn)

    def stop(self) -> None:
        self.postgres.stop()
        shutil.rmtree(self.home, ignore_errors=True)


def prepare_template(server_dsn: str) -> None:
    """A migrated database with roles that nobody connects to afterwards: copies of it take 23 ms."""
    with psycopg.connect(server_dsn, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {TEMPLATE}")
    migrate(with_database(server_dsn, TEMPLATE))
    ensure_roles(with_database(server_dsn, TEMPLATE), ROLES, dict.fromkeys(ROLES, PASSWORD))


def with_database(dsn: str, database: str) -> str:
    return dsn.rsplit("/", 1)[0] + "/" + database


@contextmanager
def empty_database(server_dsn: str) -> Iterator[str]:
    """The URL of a database without a ledger, for a test that brings its own processes; its roles go with it."""
    name = f"cluster_{secrets.token_hex(4)}"
    with psycopg.connect(server_dsn, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield with_database(server_dsn, name)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
        for role in Roles.of(name):
            connection.execute(f"DROP ROLE IF EXISTS {role}")


class Database:
    """One test's database: DSNs of its roles and SQL in one call."""

    def __init__(self, server_dsn: str) -> None:
        self.name = f"t_{os.getpid()}_{secrets.token_hex(4)}"
        self._server_dsn = server_dsn
        with psycopg.connect(server_dsn, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {self.name} TEMPLATE {TEMPLATE} STRATEGY file_copy")
        self.owner = with_database(server_dsn, self.name)
        self.writer = conninfo(self.owner, user=ROLES.writer, password=PASSWORD)
        self.projector = conninfo(self.owner, user=ROLES.projector, password=PASSWORD)
        self.auditor = conninfo(self.owner, user=ROLES.auditor, password=PASSWORD)

    def sql(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Run one statement as the owner; rows, if it returns any."""
        with psycopg.connect(self.owner, autocommit=True) as connection:
            cursor = connection.execute(statement.encode(), parameters or None)
            return cursor.fetchall() if cursor.description else []

    def drop(self) -> None:
        with psycopg.connect(self._server_dsn, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {self.name} WITH (FORCE)")
