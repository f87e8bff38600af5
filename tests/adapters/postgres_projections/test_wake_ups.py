"""An idle projector waits for a notification; one that is lost costs a second, and where none arrives it polls."""

import threading
import time
from contextlib import closing
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from adapters.outbound.postgres.builds import project_log
from adapters.outbound.postgres.project.advance_read_models import ReadModelWriter
from adapters.outbound.postgres.wire.wake_up import LISTEN, NOTIFY, PROOF_WITHIN_S, WakeUps, notifications_arrive
from tests.projections import append_events as appending
from tests.projections.append_events import append_events
from tests.projections.story import wild_story
from tests.rigs.databases import Database
from tests.rigs.faults.proxy_beside import proxy_beside
from tests.rigs.postgres.projecting import eventually, positions, running

NEVER_S = 60.0


@pytest.fixture
def waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """What happens in time happens because of a notification."""
    monkeypatch.setattr(project_log, "IDLE_S", NEVER_S)


def caught_up(database: Database, count: int) -> bool:
    return set(positions(database).values()) == {count}


@pytest.mark.usefixtures("waits_for_ever")
def test_an_append_wakes_it(database: Database) -> None:
    events = wild_story(4)[:9]
    with running(database):
        eventually(lambda: caught_up(database, 0))
        for number, event in enumerate(events, 1):
            time.sleep(0.15)
            append_events(database.writer, [event])
            eventually(lambda number=number: caught_up(database, number))  # type: ignore[misc]


@pytest.mark.usefixtures("waits_for_ever")
def test_it_stops_at_once(database: Database) -> None:
    began_s = time.monotonic()
    with running(database):
        eventually(lambda: caught_up(database, 0))
        time.sleep(0.3)
    assert time.monotonic() - began_s < 10


def test_a_lost_notification_costs_a_second(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(appending, "NOTIFY", "SELECT 1")
    events = wild_story(4)[:3]
    with running(database):
        eventually(lambda: caught_up(database, 0))
        time.sleep(0.3)
        append_events(database.writer, events)
        began_s = time.monotonic()
        eventually(lambda: caught_up(database, len(events)))
        assert time.monotonic() - began_s < project_log.IDLE_S + 2


def test_while_nothing_happens_it_hardly_asks(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = 0
    advance = ReadModelWriter.advance

    def counted(self: ReadModelWriter) -> int:
        nonlocal asked
        asked += 1
        return advance(self)

    monkeypatch.setattr(ReadModelWriter, "advance", counted)
    with running(database):
        eventually(lambda: caught_up(database, 0))
        time.sleep(0.5)
        asked = 0
        time.sleep(2.5)
        assert asked <= 4


def through(port: int, info: str) -> str:
    return make_conninfo(info, host="127.0.0.1", port=port, sslmode="disable", gssencmode="disable")


@pytest.mark.usefixtures("waits_for_ever")
def test_where_no_notification_arrives_it_polls(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """As behind a pooler that gives each transaction another session."""
    place = conninfo_to_dict(database.projector)
    events = wild_story(4)[:3]
    with proxy_beside(str(place["host"]), int(str(place["port"]))) as proxy:
        proxy.set(replaced=(LISTEN.encode(), LISTEN.replace("stored", "unheard")[: len(LISTEN)].encode()))
        behind: Any = type("Behind", (), {"projector": through(proxy.port, database.projector)})
        with running(behind):
            eventually(lambda: caught_up(database, 0))
            time.sleep(PROOF_WITHIN_S + 1.0)  # by then it waits
            append_events(database.writer, events)
            eventually(lambda: caught_up(database, len(events)))
        assert not notifications_arrive(through(proxy.port, database.writer))
    assert notifications_arrive(database.writer)


def test_a_wait_ends_by_a_notification_by_waking_or_in_time(database: Database) -> None:
    with (
        psycopg.connect(database.projector, autocommit=True) as connection,
        closing(WakeUps(database.projector)) as wake_ups,
    ):
        wake_ups.listen(connection)
        assert wake_ups.arrive
        database.sql(NOTIFY)
        assert wake_ups.wait(connection, NEVER_S)
        threading.Timer(0.1, wake_ups.wake).start()
        assert not wake_ups.wait(connection, NEVER_S)
        assert not wake_ups.wait(connection, 0.01)
        for _ in range(100_000):
            wake_ups.wake()
        assert not wake_ups.wait(connection, NEVER_S)


def test_a_notification_during_a_query_is_not_lost(database: Database) -> None:
    with (
        psycopg.connect(database.projector, autocommit=True) as connection,
        closing(WakeUps(database.projector)) as wake_ups,
    ):
        wake_ups.listen(connection)
        database.sql(NOTIFY)
        time.sleep(0.05)
        connection.execute("SELECT 1")
        assert wake_ups.wait(connection, NEVER_S)
