"""A whole ledger is made once per worker; tests that damage it work on copies."""

import secrets
from collections.abc import Iterator

import psycopg
import pytest

from adapters.outbound.postgres.builds.project_log import Projector
from adapters.outbound.postgres.wire.connection import conninfo
from domain.log import RecordedEvent
from tests.projections.append_events import append_events
from tests.projections.story import wild_story
from tests.rigs.databases import PASSWORD, ROLES, Database, with_database
from tests.rigs.postgres.verifying import WholeLedger, whole_ledger

SEED = 220
"""Its story has rows in every table, a reservation at position 40 and entries at position 50."""


@pytest.fixture(scope="session")
def original(server_dsn: str) -> Iterator[tuple[Database, list[RecordedEvent]]]:
    database = Database(server_dsn)
    yield database, whole_ledger(database, SEED)
    database.drop()


@pytest.fixture
def ledger(server_dsn: str, original: tuple[Database, list[RecordedEvent]]) -> Iterator[WholeLedger]:
    """A copy of the whole ledger of this test's own, and its events."""
    database, events = original
    fresh = Copy(server_dsn, database.name)
    yield WholeLedger(fresh, events)
    fresh.drop()


@pytest.fixture
def events(database: Database) -> list[RecordedEvent]:
    """A log that the current builds hold."""
    story = wild_story(81)
    append_events(database.writer, story)
    Projector(database.projector).catch_up()
    return story


class Copy(Database):
    """A database like another, which nobody is connected to."""

    def __init__(self, server_dsn: str, template: str) -> None:
        self.name = f"{template}_{secrets.token_hex(4)}"
        self._server_dsn = server_dsn
        with psycopg.connect(server_dsn, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {self.name} TEMPLATE {template} STRATEGY file_copy".encode())
        self.owner = with_database(server_dsn, self.name)
        self.writer = conninfo(self.owner, user=ROLES.writer, password=PASSWORD)
        self.projector = conninfo(self.owner, user=ROLES.projector, password=PASSWORD)
        self.auditor = conninfo(self.owner, user=ROLES.auditor, password=PASSWORD)
