"""Fixtures of tests that run the whole product."""

import secrets
from collections.abc import Iterator

import psycopg
import pytest

from adapters.outbound.postgres.ensure_roles import Roles
from tests.databases import with_database


@pytest.fixture
def database_url(server_dsn: str) -> Iterator[str]:
    """An empty database of somebody's server."""
    name = f"cluster_{secrets.token_hex(4)}"
    with psycopg.connect(server_dsn, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield with_database(server_dsn, name)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
        for role in Roles.of(name):
            connection.execute(f"DROP ROLE IF EXISTS {role}")
