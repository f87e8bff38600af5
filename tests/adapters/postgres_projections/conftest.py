"""A whole ledger is told once per worker; tests that damage it work on copies."""

from collections.abc import Iterator

import psycopg
import pytest

from domain.log import RecordedEvent
from tests.adapters.postgres_projections.verifying import WholeLedger, whole_ledger
from tests.databases import Database

SEED = 86
"""Its story has rows in every table, and entries at position 50."""


@pytest.fixture(scope="session")
def original(server_dsn: str) -> Iterator[tuple[Database, list[RecordedEvent]]]:
    told = Database(server_dsn)
    yield told, whole_ledger(told, SEED)
    told.drop()


@pytest.fixture
def ledger(server_dsn: str, original: tuple[Database, list[RecordedEvent]]) -> Iterator[WholeLedger]:
    """A copy of the whole ledger of this test's own, and its events."""
    database, events = original
    fresh = Database(server_dsn)
    with psycopg.connect(server_dsn, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {fresh.name}".encode())
        connection.execute(f"CREATE DATABASE {fresh.name} TEMPLATE {database.name} STRATEGY file_copy".encode())
    yield WholeLedger(fresh, events)
    fresh.drop()
