"""Readers of the log never skip, never pass the head, and say so when the log is not what it was (P4)."""

import psycopg
import pytest

from adapters.outbound.postgres.wire.read_log import LogGap, LogTruncated, Undecodable, read_page
from tests.projections.append_events import append_events, append_raw
from tests.projections.story import wild_story
from tests.rigs.databases import Database

UNLOCK = "ALTER TABLE ledger.stored_events DISABLE TRIGGER append_only"


def positions(database: Database, after: int, limit: int) -> list[int]:
    with psycopg.connect(database.projector, autocommit=True) as connection:
        return [event.position for event in read_page(connection, after, limit).events]


@pytest.fixture
def length(database: Database) -> int:
    events = wild_story(1, steps=40)
    append_events(database.writer, events)
    return len(events)


def test_a_page_starts_right_after_the_position(database: Database, length: int) -> None:
    assert positions(database, 0, 10) == list(range(1, 11))
    assert positions(database, 7, 3) == [8, 9, 10]
    assert positions(database, length - 2, 10) == [length - 1, length]
    assert positions(database, length, 10) == []


def test_an_empty_log_is_an_empty_page(database: Database) -> None:
    assert positions(database, 0, 10) == []


def test_nothing_beyond_the_head_is_read(database: Database, length: int) -> None:
    database.sql("UPDATE ledger.head SET position = position - 5")
    assert positions(database, 0, 1_000) == list(range(1, length - 4))


@pytest.mark.parametrize("gone", [1, 5, 10])
def test_a_gap_is_refused(database: Database, length: int, gone: int) -> None:
    database.sql(UNLOCK)
    database.sql("DELETE FROM ledger.stored_events WHERE notification_id = %s", gone)
    with pytest.raises(LogGap) as gap:
        positions(database, 0, 10)
    assert gap.value.position == gone


def test_a_log_that_ends_before_the_reader_is_truncated(database: Database, length: int) -> None:
    with pytest.raises(LogTruncated) as truncated:
        positions(database, length + 1, 10)
    assert truncated.value.position == length + 1


def test_what_cannot_be_decoded_is_told_as_such(database: Database) -> None:
    append_raw(database.writer, "credit-a", 1, "credit.granted.v99", b"{}")
    append_raw(database.writer, "credit-b", 1, "credit.granted.v1", b'{"at":"never"}')
    with psycopg.connect(database.projector, autocommit=True) as connection:
        first, second = read_page(connection, 0, 10).events
    assert isinstance(first, Undecodable) and isinstance(second, Undecodable)
    assert (first.tag, second.stream) == ("credit.granted.v99", "credit-b")
