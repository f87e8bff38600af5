"""The projector brings read models to the head, once, in order, whatever happens meanwhile
(docs/explanation/projections.md)."""

import threading
import time
from uuid import uuid4

import psycopg
import pytest
from msgspec.structs import replace

from adapters.outbound.postgres.builds.lead_builds import lock_of
from adapters.outbound.postgres.builds.project_log import Projector
from adapters.outbound.postgres.project.advance_read_models import PageWritten, PositionMoved
from adapters.outbound.postgres.wire.locks import LEAD_ALL_BUILDS
from adapters.outbound.postgres.wire.read_log import LogGap, LogTruncated
from domain.account.events import Opened
from domain.log import RecordedEvent
from projections.engine.registry import NAMES, PROJECTIONS
from tests.projections.append_events import append_events
from tests.projections.story import halves, wild_story
from tests.projections.tables import replayed_tables, stored_tables
from tests.rigs.databases import ROLES, Database
from tests.rigs.postgres.projecting import (
    count,
    counted,
    counting,
    eventually,
    head,
    positions,
    running,
)


@pytest.mark.parametrize("page_size", [1, 7, 1_000])
def test_p4_tables_equal_a_replay_whatever_the_page_size(database: Database, page_size: int) -> None:
    events = wild_story(3)
    append_events(database.writer, events)
    assert Projector(database.projector, page_size=page_size).catch_up() == len(events)
    assert stored_tables(database.owner) == replayed_tables(events)
    assert positions(database) == dict.fromkeys(NAMES, len(events))


def test_catching_up_again_does_nothing(database: Database) -> None:
    append_events(database.writer, wild_story(4))
    Projector(database.projector).catch_up()
    before = stored_tables(database.owner)
    pages: list[PageWritten] = []
    Projector(database.projector, on_page=pages.append).catch_up()
    assert stored_tables(database.owner) == before
    assert pages == []


def test_it_follows_the_log_and_tells_the_lag(database: Database) -> None:
    events = wild_story(5)
    pages: list[PageWritten] = []
    with running(database, on_page=pages.append):
        before, after = halves(events)
        for part in (*halves(before), *halves(after)):
            append_events(database.writer, part)
        eventually(lambda: bool(pages) and pages[-1].last_position == len(events))
    assert stored_tables(database.owner) == replayed_tables(events)
    assert sum(len(page.lags_ms) for page in pages) == len(events)
    assert all(page.projections == tuple(NAMES) for page in pages)
    assert all(0 <= lag_ms < 60_000 for page in pages for lag_ms in page.lags_ms)


def test_it_survives_that_its_connection_is_killed(database: Database) -> None:
    events = wild_story(6)
    before, after = halves(events)
    append_events(database.writer, before)
    with running(database):
        eventually(lambda: positions(database).get("generation") == len(before))
        kill_leader(database)
        append_events(database.writer, after)
        eventually(lambda: positions(database)["generation"] == len(events))
    assert stored_tables(database.owner) == replayed_tables(events)


def kill_leader(database: Database) -> None:
    killed = database.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid IN ("
        "SELECT pid FROM pg_locks WHERE locktype = 'advisory') AND datname = current_database()"
    )
    assert killed == [(True,)]


def test_a_lost_connection_is_no_reason_to_make_the_views_anew(database: Database) -> None:
    """They take room in the catalog, which a full disk has not, and a lock that readers wait for."""
    before, after = halves(wild_story(6))
    views = "SELECT ev_class, ctid::text FROM pg_rewrite WHERE ev_class::regclass::text LIKE 'read.%' ORDER BY ev_class"
    append_events(database.writer, before)
    with running(database):
        eventually(lambda: positions(database).get("generation") == len(before))
        made = database.sql(views)
        assert len(made) > len(NAMES)
        kill_leader(database)
        append_events(database.writer, after)
        eventually(lambda: positions(database)["generation"] == len(before) + len(after))
        assert database.sql(views) == made


def test_read_models_that_a_restore_took_away_are_made_anew(database: Database) -> None:
    events = wild_story(6)
    append_events(database.writer, events)
    projector = Projector(database.projector)
    projector.catch_up()
    database.sql("DROP SCHEMA read CASCADE")
    database.sql("CREATE SCHEMA read AUTHORIZATION " + ROLES.projector)
    projector.catch_up()
    assert stored_tables(database.owner) == replayed_tables(events)


def test_a_crash_inside_a_page_repeats_and_skips_nothing(database: Database) -> None:
    events = wild_story(7)
    append_events(database.writer, events)
    pages = 0

    class Crash(Exception):
        pass

    def crash_on_the_second(page: PageWritten) -> None:
        nonlocal pages
        pages += 1
        if pages == 2:
            raise Crash

    with pytest.raises(Crash):
        Projector(database.projector, page_size=10, on_page=crash_on_the_second).catch_up()
    Projector(database.projector, page_size=10).catch_up()
    assert stored_tables(database.owner) == replayed_tables(events)


def test_one_leads_and_another_takes_over(database: Database) -> None:
    events = wild_story(8)
    projector = Projector(database.projector)
    first = threading.Thread(target=projector.run)
    with running(database):
        eventually(lambda: _leaders(database) == 1)
        first.start()
        append_events(database.writer, events)
        eventually(lambda: positions(database).get("generation") == len(events))
        assert _leaders(database) == 1
    eventually(lambda: _leaders(database) == 1)
    append_events(database.writer, open_somebody_else(events))
    eventually(lambda: positions(database)["generation"] == len(events) + 1)
    projector.stop()
    first.join(20)
    assert not first.is_alive()


def open_somebody_else(events: list[RecordedEvent]) -> list[RecordedEvent]:
    opened = next(event for event in events if isinstance(event.event, Opened))
    return [replace(opened, stream="account-else", version=1, position=len(events) + 1, command_id=uuid4())]


def _leaders(database: Database) -> int:
    held = database.sql(
        "SELECT count(DISTINCT l.pid) FROM pg_locks l JOIN pg_database d ON d.oid = l.database"
        " WHERE l.locktype = 'advisory' AND l.granted AND d.datname = current_database()"
        " AND (l.classid::bigint << 32) + l.objid::bigint = hashtextextended(%s, 0)",
        lock_of("generation", 1),
    )
    return int(held[0][0])  # type: ignore[call-overload,no-any-return]


@pytest.mark.parametrize("lock", ["generation", "all"])
def test_what_another_session_leads_is_not_written(database: Database, lock: str) -> None:
    """Of one build; or of all, as releases did that knew one build of each read model."""
    Projector(database.projector).catch_up()
    events = wild_story(8)
    with psycopg.connect(database.owner, autocommit=True) as holder:
        if lock == "all":
            holder.execute("SELECT pg_advisory_lock(%s)", [LEAD_ALL_BUILDS])
        else:
            holder.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [lock_of(lock, 1)])
        with running(database):
            append_events(database.writer, events)
            led = dict.fromkeys(NAMES, 0 if lock == "all" else len(events)) | {"generation": 0}
            eventually(lambda: positions(database) == led)
            time.sleep(0.5)
            assert positions(database) == led
            holder.execute("SELECT pg_advisory_unlock_all()")
            eventually(lambda: positions(database) == dict.fromkeys(NAMES, len(events)))


def test_events_that_come_one_by_one_share_a_page(database: Database) -> None:
    """A page costs much the same for one event as for fifty: while events keep coming, they wait for each other."""
    events, pages = wild_story(8)[:12], list[PageWritten]()
    projector = Projector(database.projector, period_s=1.0, on_page=pages.append)
    thread = threading.Thread(target=projector.run)
    thread.start()
    eventually(lambda: positions(database).get("generation") == 0)
    for event in events:
        append_events(database.writer, [event])
    eventually(lambda: positions(database)["generation"] == len(events))
    projector.stop()
    thread.join(20)
    assert not thread.is_alive()
    assert len(pages) < len(events) / 2


def test_a_new_projection_catches_up_beside_the_others(database: Database) -> None:
    events = wild_story(10)
    append_events(database.writer, events)
    Projector(database.projector, PROJECTIONS[1:]).catch_up()
    Projector(database.projector, page_size=40).catch_up()
    assert stored_tables(database.owner) == replayed_tables(events)


def test_those_that_stand_apart_meet_and_go_on_together(database: Database) -> None:
    events = wild_story(11)
    before, after = halves(events)
    append_events(database.writer, before)
    Projector(database.projector, PROJECTIONS[1:]).catch_up()
    append_events(database.writer, after)
    pages: list[PageWritten] = []
    Projector(database.projector, page_size=40, on_page=pages.append).catch_up()
    assert stored_tables(database.owner) == replayed_tables(events)
    assert positions(database) == dict.fromkeys(NAMES, len(events))


def test_a_gap_stops_it_with_a_clear_error(database: Database) -> None:
    append_events(database.writer, wild_story(12))
    database.sql("ALTER TABLE ledger.stored_events DISABLE TRIGGER append_only")
    database.sql("DELETE FROM ledger.stored_events WHERE notification_id = 20")
    with pytest.raises(LogGap, match="no event at position 20"):
        Projector(database.projector, page_size=15).catch_up()
    assert set(positions(database).values()) == {15}


def test_a_truncated_log_stops_it(database: Database) -> None:
    append_events(database.writer, wild_story(13))
    end = Projector(database.projector).catch_up()
    database.sql("UPDATE ledger.head SET position = position - 1")
    with pytest.raises(LogTruncated, match=f"{end} was read before"):
        Projector(database.projector).catch_up()


def test_a_position_that_somebody_else_moved_is_not_gone_on_from(database: Database) -> None:
    append_events(database.writer, wild_story(14))

    def move(page: PageWritten) -> None:
        database.sql("UPDATE read.positions SET position = 3")

    with pytest.raises(PositionMoved):
        Projector(database.projector, page_size=10, on_page=move).catch_up()
    assert set(positions(database).values()) == {3}


def test_a_page_is_all_or_nothing(database: Database) -> None:
    """Position outside the transaction is the sabotage of P4: effects would count twice."""
    append_events(database.writer, wild_story(15))
    Projector(database.projector).catch_up()
    projection = counting(database, count)
    database.sql("UPDATE read.positions SET position = 0 WHERE projection = 'api_key'")
    database.sql("CREATE FUNCTION public.fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'full'; END $$")
    database.sql(
        "CREATE TRIGGER fail BEFORE UPDATE ON read.positions FOR EACH ROW WHEN (NEW.position = 30)"
        " EXECUTE FUNCTION public.fail()"
    )
    with pytest.raises(psycopg.errors.RaiseException):
        Projector(database.projector, [projection], page_size=10).catch_up()
    assert sum(counted(database).values()) == 20
    database.sql("DROP TRIGGER fail ON read.positions")
    Projector(database.projector, [projection], page_size=10).catch_up()
    assert sum(counted(database).values()) == head(database)
