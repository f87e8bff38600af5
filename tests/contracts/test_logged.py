"""What projections.engine.changes.Logged promises: an event is the same in memory and read back from PostgreSQL."""

from collections.abc import Sequence
from typing import cast

import psycopg
import pytest

from adapters.outbound.postgres.wire.read_log import LoggedEvent, read_page
from adapters.outbound.postgres.wire.read_times import TOTAL_TIMES
from domain.log import RecordedEvent
from projections.engine.changes import Logged
from tests.projections.append_events import append_events
from tests.projections.story import wild_story
from tests.rigs.databases import Database

PORT = Logged
SUBJECTS = {"memory": RecordedEvent, "postgres": LoggedEvent}
STORY = wild_story(7)


@pytest.fixture
def events(subject: str, request: pytest.FixtureRequest) -> Sequence[Logged]:
    if subject == "memory":
        return STORY
    database: Database = request.getfixturevalue("database")
    append_events(database.writer, STORY)
    with psycopg.connect(database.auditor, autocommit=True, context=TOTAL_TIMES) as connection:
        return cast("Sequence[Logged]", read_page(connection, 0, len(STORY)).events)


def test_an_event_is_what_was_appended_where_it_was_appended(subject: str, events: Sequence[Logged]) -> None:
    assert {type(event) for event in events} == {SUBJECTS[subject]}
    found = [(one.position, one.stream, one.version, one.tag, one.event) for one in events]
    assert found == [(one.position, one.stream, one.version, one.tag, one.event) for one in STORY]
