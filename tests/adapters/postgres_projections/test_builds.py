"""A new build of a read model beside the one that readers use: caught up, compared, then switched to by one row."""

import asyncio
import threading
import time
from collections.abc import Sequence
from itertools import groupby
from typing import Any

import psycopg
import pytest
from msgspec.structs import replace

from adapters.outbound.postgres.builds.build_beside import BuildBeside, Difference
from adapters.outbound.postgres.builds.builds_in_use import in_use_sql
from adapters.outbound.postgres.builds.install_read_models import install_read_models
from adapters.outbound.postgres.builds.lead_builds import lock_of
from adapters.outbound.postgres.builds.project_log import Projector
from adapters.outbound.postgres.project.advance_read_models import PageWritten, Parked
from adapters.outbound.postgres.read.ask_builds import PoolReader
from adapters.outbound.postgres.read.measure_lag import projection_lag_s
from adapters.outbound.postgres.read.reads import postgres_reads
from adapters.outbound.postgres.verify import read_state
from application.reads.credits import Credits
from domain.credit.events import Granted
from domain.log import RecordedEvent
from projections.engine.changes import Add, Change, Logged, Projection
from projections.engine.registry import NAMES, PROJECTIONS
from tests.projections.append_events import append_events
from tests.projections.raised.project import PROJECTION as RAISED_ENTRIES
from tests.projections.story import halves, wild_story
from tests.projections.tables import replayed_tables, stored_tables
from tests.rigs.databases import Database
from tests.rigs.postgres.asking import pool_of
from tests.rigs.postgres.projecting import active, eventually, head, running, stands
from tests.rigs.postgres.verifying import verdict

CREDIT, ENTRIES = (p for p in PROJECTIONS if p.name in ("available_credit", "ledger_entries"))
RAISED_CREDIT = replace(CREDIT, version=CREDIT.version + 1)
"""The same rule again."""

NEXT_RELEASE = (*PROJECTIONS, RAISED_CREDIT, RAISED_ENTRIES)
AS_BEFORE = {build.name: build.version for build in PROJECTIONS}
SWITCHED = {build.name: build.version for build in NEXT_RELEASE}
OLD, NEW = CREDIT.version, RAISED_CREDIT.version
ENTRY_TABLE = f"read.ledger_entry_{ENTRIES.build}"


def generous(recorded: Logged) -> Sequence[Change]:
    """A rule with a fault: each grant counts a nano-dollar too much."""
    changes = list(CREDIT.project(recorded))
    if isinstance(recorded.event, Granted):
        changes.append(Add(CREDIT.tables[0], (recorded.stream.removeprefix("credit-"),), {"granted_nusd": 1}))
    return changes


GENEROUS = replace(RAISED_CREDIT, project=generous)


def credits_of(database: Database, account_id: str, builds: Sequence[Any] = NEXT_RELEASE) -> Credits:
    async def asking() -> Credits:
        async with pool_of(database) as pool:
            return await postgres_reads(pool, builds).credits.of_account(account_id)

    return asyncio.run(asking())


@pytest.fixture
def events(database: Database) -> list[RecordedEvent]:
    """A log that the current builds hold."""
    told = wild_story(81)
    append_events(database.writer, told)
    Projector(database.projector).catch_up()
    return told


# ---- from one build to the next


def test_a_raised_version_is_built_beside_and_then_used(database: Database, events: list[RecordedEvent]) -> None:
    assert Projector(database.projector, NEXT_RELEASE).catch_up() == len(events)
    assert active(database) == SWITCHED
    assert stands(database) == {(build.name, build.version): len(events) for build in NEXT_RELEASE}
    new = [RAISED_CREDIT, RAISED_ENTRIES]
    assert stored_tables(database.owner, new) == replayed_tables(events, new)
    assert stored_tables(database.owner) == replayed_tables(events)


def test_both_are_kept_up_to_date_after_the_switch(database: Database) -> None:
    before, after = halves(wild_story(82))
    append_events(database.writer, before)
    Projector(database.projector).catch_up()
    with running(database, builds=NEXT_RELEASE):
        eventually(lambda: active(database) == SWITCHED)
        append_events(database.writer, after)
        eventually(lambda: set(stands(database).values()) == {head(database)})
    new = [RAISED_CREDIT, RAISED_ENTRIES]
    assert stored_tables(database.owner, new) == replayed_tables([*before, *after], new)
    assert stored_tables(database.owner) == replayed_tables([*before, *after])


def test_where_nothing_was_built_the_current_builds_are_used_at_once(database: Database) -> None:
    with running(database, builds=NEXT_RELEASE):
        eventually(lambda: bool(active_if_any(database)))
        assert active(database) == SWITCHED
        assert set(stands(database)) == set(SWITCHED.items())


def active_if_any(database: Database) -> dict[str, int]:
    return active(database) if database.sql("SELECT to_regclass('read.active')") != [(None,)] else {}


def test_people_see_the_new_builds_columns(database: Database, events: list[RecordedEvent]) -> None:
    Projector(database.projector, NEXT_RELEASE).catch_up()
    assert database.sql("SELECT count(account_id), count(about) FROM read.ledger_entry") != [(0, 0)]


def test_a_reader_of_a_view_holds_neither_the_switch_nor_other_readers_up(
    database: Database, events: list[RecordedEvent]
) -> None:
    with psycopg.connect(database.owner) as person:
        person.execute("SELECT * FROM read.ledger_entry LIMIT 1")
        Projector(database.projector, NEXT_RELEASE).catch_up()
        assert active(database) == SWITCHED


# ---- readers


def test_a_reader_pinned_before_the_switch_reads_the_old_build_to_its_end(
    database: Database, events: list[RecordedEvent]
) -> None:
    with psycopg.connect(database.writer) as reader:
        reader.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        reader.execute("SELECT FROM ledger.head")
        Projector(database.projector, NEXT_RELEASE).catch_up()
        in_use = reader.execute(in_use_sql(NEXT_RELEASE).encode()).fetchall()
        assert in_use == [(name, AS_BEFORE[name], len(events)) for name in sorted(NAMES)]
        entries = sum(len(rows) for name, rows in replayed_tables(events).items() if name == "ledger_entry")
        assert reader.execute(f"SELECT count(*) FROM {ENTRY_TABLE}").fetchone() == (entries,)


def test_a_question_goes_to_the_build_in_use_whichever_was_used_last(
    database: Database, events: list[RecordedEvent]
) -> None:
    """One that differs on purpose, so that answers tell which build gave them."""
    unlike = replace(GENEROUS, unlike=frozenset({"credit_account.granted_nusd"}))

    async def asking() -> list[int]:
        async with pool_of(database) as pool:
            reads = postgres_reads(pool, [*PROJECTIONS, unlike])
            told = [(await reads.credits.of_account("acct-0")).granted_nusd]
            await asyncio.to_thread(Projector(database.projector, [*PROJECTIONS, unlike]).catch_up)
            told.append((await reads.credits.of_account("acct-0")).granted_nusd)
            database.sql("UPDATE read.active SET version = version - 1 WHERE projection = 'available_credit'")
            told.append((await reads.credits.of_account("acct-0")).granted_nusd)
            return told

    old, new, back = asyncio.run(asking())
    grants = sum(isinstance(e.event, Granted) and e.stream == "credit-acct-0" for e in events)
    assert (new - old, back) == (grants, old) and grants > 0


def test_a_release_that_does_not_know_the_active_build_reads_its_own(
    database: Database, events: list[RecordedEvent]
) -> None:
    Projector(database.projector, NEXT_RELEASE).catch_up()
    assert credits_of(database, "acct-0", PROJECTIONS) == credits_of(database, "acct-0", NEXT_RELEASE)


def test_a_build_that_was_dropped_is_not_asked_again(database: Database, events: list[RecordedEvent]) -> None:
    Projector(database.projector, NEXT_RELEASE).catch_up()

    async def asking() -> None:
        async with pool_of(database) as pool:
            reads = postgres_reads(pool, NEXT_RELEASE)
            database.sql("UPDATE read.active SET version = %s WHERE projection = 'available_credit'", OLD)
            before = await reads.credits.of_account("acct-0")
            database.sql("UPDATE read.active SET version = %s WHERE projection = 'available_credit'", NEW)
            database.sql("DROP VIEW read.available_credit, read.credit_lot, read.open_hold")
            database.sql("DROP TABLE " + ", ".join(f"read.{table.name}_{CREDIT.build}" for table in CREDIT.tables))
            assert await reads.credits.of_account("acct-0") == before

    asyncio.run(asking())


def test_a_build_that_is_catching_up_is_neither_waited_for_nor_lag(
    database: Database, events: list[RecordedEvent]
) -> None:
    database.sql("INSERT INTO read.positions VALUES ('available_credit', 0, %s, 0, now())", NEW)

    async def asking() -> tuple[bool, float]:
        async with pool_of(database) as pool:
            reads = postgres_reads(pool, NEXT_RELEASE)
            return await reads.positions.wait_for(len(events), 0.5), await projection_lag_s(
                PoolReader(pool), NEXT_RELEASE
            )

    assert asyncio.run(asking()) == (True, 0.0)


# ---- comparing


def test_a_build_that_differs_is_not_used_and_raises_an_alarm(database: Database, events: list[RecordedEvent]) -> None:
    alarms: list[Difference] = []
    differing = [*PROJECTIONS, GENEROUS]
    with running(database, builds=differing, on_difference=alarms.append):
        eventually(lambda: bool(alarms))
        assert active(database) == AS_BEFORE
    ((difference,),) = database.sql(
        "SELECT difference FROM read.builds WHERE projection = 'available_credit' AND version = %s", NEW
    )
    assert alarms == [Difference("available_credit", NEW, str(difference))]
    assert "column granted_nusd" in str(difference)


@pytest.mark.parametrize("unlike", ["credit_account", "credit_account.granted_nusd"])
def test_what_differs_on_purpose_is_not_compared(database: Database, events: list[RecordedEvent], unlike: str) -> None:
    Projector(database.projector, [*PROJECTIONS, replace(GENEROUS, unlike=frozenset({unlike}))]).catch_up()
    assert active(database)["available_credit"] == NEW


DAMAGES = {
    f"UPDATE {ENTRY_TABLE} SET amount_nusd = amount_nusd + 1 WHERE position > 50": "column amount_nusd",
    f"DELETE FROM {ENTRY_TABLE} WHERE position > 50": "the active build has no such row",
    f"INSERT INTO {ENTRY_TABLE} VALUES (50, 99, '', 0, '', '')": "the row is missing",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_each_kind_of_difference_is_found(database: Database, events: list[RecordedEvent], damage: str) -> None:
    """Also with columns that only one of the two has."""
    database.sql(damage)
    alarms: list[Difference] = []
    with running(database, builds=NEXT_RELEASE, on_difference=alarms.append):
        eventually(lambda: bool(alarms) and active(database)["available_credit"] == NEW)
    assert active(database)["ledger_entries"] == ENTRIES.version
    (alarm,) = alarms
    assert DAMAGES[damage] in alarm.difference


def test_both_are_compared_at_one_position_while_events_come(database: Database) -> None:
    """Compared at two positions they would differ."""
    before, after = halves(wild_story(83, steps=400))
    append_events(database.writer, before)
    Projector(database.projector).catch_up()
    stop = threading.Event()
    adding = threading.Thread(target=append_slowly, args=[database, after, stop])
    adding.start()
    alarms: list[Difference] = []
    with running(database, builds=NEXT_RELEASE, period_s=0.0, on_difference=alarms.append):
        eventually(lambda: active(database) == SWITCHED or bool(alarms))
        stop.set()
        adding.join()
    assert alarms == []


def append_slowly(database: Database, events: list[RecordedEvent], stop: threading.Event) -> None:
    for _, command in groupby(events, key=lambda event: event.command_id):
        append_events(database.writer, command)
        if stop.wait(0.001):
            return


# ---- parked


def test_what_one_build_cannot_project_is_parked_in_that_build(database: Database, events: list[RecordedEvent]) -> None:
    """And a build that can do less than the active one is not used."""

    def refuse_grants(recorded: Logged) -> Sequence[Change]:
        if isinstance(recorded.event, Granted) and recorded.stream == "credit-acct-1":
            raise ValueError
        return CREDIT.project(recorded)

    parked: list[Parked] = []
    worse = [*PROJECTIONS, replace(RAISED_CREDIT, project=refuse_grants)]
    alarms: list[Difference] = []
    with running(database, builds=worse, on_parked=parked.append, on_difference=alarms.append):
        eventually(lambda: bool(alarms))
    assert {(p.projection, p.version, p.account) for p in parked} == {("available_credit", NEW, "acct-1")}
    assert database.sql("SELECT projection, version, account FROM read.parked") == [("available_credit", NEW, "acct-1")]
    assert credits_of(database, "acct-1", worse).not_provable_beyond is None
    assert alarms[0].difference == "it cannot project account acct-1, which the active build can"


def test_an_account_that_only_the_active_build_had_to_leave_behind_is_no_difference(
    database: Database, events: list[RecordedEvent]
) -> None:
    database.sql("INSERT INTO read.parked VALUES ('available_credit', %s, 'acct-1', 7, 'x')", OLD)
    database.sql(f"DELETE FROM read.credit_account_{CREDIT.build} WHERE account_id = 'acct-1'")
    Projector(database.projector, NEXT_RELEASE).catch_up()
    assert active(database) == SWITCHED
    assert credits_of(database, "acct-1").not_provable_beyond is None


# ---- processes beside each other


def test_a_projector_of_the_release_before_goes_on_with_its_own_builds(database: Database) -> None:
    before, after = halves(wild_story(84))
    append_events(database.writer, before)
    with running(database):
        eventually(lambda: set(stands_if_any(database).values()) == {len(before)})
        with running(database, builds=NEXT_RELEASE):
            eventually(lambda: active(database) == SWITCHED)
            append_events(database.writer, after)
            eventually(lambda: set(stands(database).values()) == {head(database)})
    assert stored_tables(database.owner) == replayed_tables([*before, *after])
    new = [RAISED_CREDIT, RAISED_ENTRIES]
    assert stored_tables(database.owner, new) == replayed_tables([*before, *after], new)


def stands_if_any(database: Database) -> dict[tuple[str, int], int]:
    return stands(database) if database.sql("SELECT to_regclass('read.positions')") != [(None,)] else {}


def test_a_version_that_is_not_known_is_left_alone(database: Database, events: list[RecordedEvent]) -> None:
    database.sql("INSERT INTO read.positions VALUES ('available_credit', 0, 9, 5, now())")
    database.sql("UPDATE read.active SET version = 9 WHERE projection = 'available_credit'")
    Projector(database.projector, NEXT_RELEASE).catch_up()
    assert stands(database)["available_credit", 9] == 5
    assert active(database)["available_credit"] == 9
    assert stands(database)["available_credit", NEW] == len(events)


def test_a_new_build_that_another_process_leads_is_left_to_it(database: Database, events: list[RecordedEvent]) -> None:
    with psycopg.connect(database.owner, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [lock_of("available_credit", NEW)])
        with running(database, builds=NEXT_RELEASE):
            eventually(lambda: active(database)["ledger_entries"] == RAISED_ENTRIES.version)
            time.sleep(0.5)
            assert stands(database)["available_credit", NEW] == 0
            other.execute("SELECT pg_advisory_unlock_all()")
            eventually(lambda: active(database)["available_credit"] == NEW)


# ---- the active builds do not wait


def test_a_build_that_catches_up_does_not_delay_the_active_ones(database: Database) -> None:
    """One that never comes to an end of its first event: the others' events are projected as they come."""
    before, after = halves(wild_story(85))
    append_events(database.writer, before)
    Projector(database.projector).catch_up()
    never = threading.Event()

    def hang(recorded: Logged) -> Sequence[Change]:
        never.wait(60)
        return ()

    pages: list[PageWritten] = []
    with running(database, builds=[*PROJECTIONS, replace(RAISED_CREDIT, project=hang)], on_page=pages.append):
        eventually(lambda: ("available_credit", NEW) in stands(database))
        append_events(database.writer, after)
        eventually(lambda: bool(pages) and pages[-1].last_position == len(before) + len(after))
        assert stands(database)["available_credit", NEW] == 0
        never.set()


def test_new_builds_take_turns(database: Database, events: list[RecordedEvent]) -> None:
    """However many there are, one page is written at a time."""
    under_way, most = 0, 0
    counting = threading.Lock()

    def slowly(build: Projection) -> Projection:
        def project(recorded: Logged) -> Sequence[Change]:
            nonlocal under_way, most
            with counting:
                under_way += 1
                most = max(most, under_way)
            time.sleep(0.002)
            with counting:
                under_way -= 1
            return build.project(recorded)

        return replace(build, project=project)

    with running(database, builds=[*PROJECTIONS, slowly(RAISED_CREDIT), slowly(RAISED_ENTRIES)]):
        eventually(lambda: active(database) == SWITCHED)
    assert most == 1


def test_a_new_build_rests_after_each_whole_page(database: Database, events: list[RecordedEvent]) -> None:
    """As long as the page took, or a multiple of it."""

    class Noting(threading.Event):
        def __init__(self) -> None:
            super().__init__()
            self.rests: list[float | None] = []

        def wait(self, timeout: float | None = None) -> bool:
            self.rests.append(timeout)
            return super().wait(0)

    with psycopg.connect(database.projector, autocommit=True) as connection:
        install_read_models(connection, NEXT_RELEASE)
    stop, page_size = Noting(), 10
    beside = BuildBeside(
        database.projector, RAISED_CREDIT, NEXT_RELEASE, threading.Lock(), page_size=page_size, rest=1_000.0
    )
    assert beside.run(stop, 0.0)
    long = [rest for rest in stop.rests if rest is not None and rest > 1.0]
    assert len(long) >= len(events) // page_size


# ---- verifying


def test_verify_checks_both_builds_and_says_which_is_active(
    database: Database, events: list[RecordedEvent], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_state, "BUILDS", NEXT_RELEASE)
    Projector(database.projector, NEXT_RELEASE).catch_up()
    report = verdict(database)
    assert report.is_clean
    entries = [(m.version, m.is_active) for m in report.state.read_models if m.name == "ledger_entries"]
    assert entries == [(RAISED_ENTRIES.version, True), (ENTRIES.version, False)]
    for build in (ENTRIES, RAISED_ENTRIES):
        table = f"read.ledger_entry_{build.build}"
        database.sql(f"UPDATE {table} SET amount_nusd = amount_nusd + 1 WHERE position = 50 OR position = 60")
        places = [str(finding.place) for finding in verdict(database).findings]
        assert any(place.startswith(table) for place in places)
        database.sql(f"UPDATE {table} SET amount_nusd = amount_nusd - 1 WHERE position = 50 OR position = 60")


@pytest.mark.parametrize("table", ["credit_account", "ledger_entry"])
def test_what_a_later_version_fills_otherwise_is_not_checked_in_an_earlier_one(
    database: Database, events: list[RecordedEvent], monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    """This release may read old events in the new way: what was made of them before cannot be made again."""
    column = {"credit_account": "settled_nusd", "ledger_entry": "tag"}[table]
    wrong = {"credit_account": "7", "ledger_entry": "'another'"}[table]
    unlike = frozenset({f"{table}.{column}"})
    changed = [replace(build, unlike=unlike) for build in (RAISED_CREDIT, RAISED_ENTRIES)]
    monkeypatch.setattr(read_state, "BUILDS", (*PROJECTIONS, *changed))
    old = next(build for build in (CREDIT, ENTRIES) if table in {t.name for t in build.tables})
    physical = f"read.{table}_{old.build}"
    database.sql(f"UPDATE {physical} SET {column} = {wrong}")
    assert verdict(database).is_clean
    database.sql(f"DELETE FROM {physical} WHERE position = (SELECT max(position) FROM {physical})")
    assert not verdict(database).is_clean
    monkeypatch.setattr(read_state, "BUILDS", NEXT_RELEASE)
    assert not verdict(database).is_clean


def test_a_year_that_python_does_not_have_is_compared(database: Database, events: list[RecordedEvent]) -> None:
    database.sql(f"UPDATE read.credit_lot_{CREDIT.build} SET expires_at = '12000-01-01' WHERE position > 5")
    alarms: list[Difference] = []
    with running(database, builds=[*PROJECTIONS, RAISED_CREDIT], on_difference=alarms.append):
        eventually(lambda: bool(alarms))
    assert alarms[0].difference.endswith("column expires_at is not the active build's")


def test_an_old_build_that_lags_is_no_finding(
    database: Database, events: list[RecordedEvent], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody reads it; its rows are right for its position."""
    monkeypatch.setattr(read_state, "BUILDS", NEXT_RELEASE)
    with psycopg.connect(database.projector, autocommit=True) as connection:
        install_read_models(connection, NEXT_RELEASE)
    assert verdict(database, max_lag_s=0.0).is_clean


def test_a_new_build_that_fails_does_not_end_the_projector(database: Database) -> None:
    before, after = halves(wild_story(86))
    append_events(database.writer, before)
    Projector(database.projector).catch_up()
    unlike = replace(RAISED_ENTRIES, tables=(replace(RAISED_ENTRIES.tables[0], name="nowhere"),))
    broken = replace(
        RAISED_ENTRIES, project=lambda recorded: [replace_table(c, unlike) for c in RAISED_ENTRIES.project(recorded)]
    )
    with running(database, builds=[*PROJECTIONS, broken]):
        eventually(lambda: ("ledger_entries", RAISED_ENTRIES.version) in stands(database))
        append_events(database.writer, after)
        eventually(lambda: stands(database)["ledger_entries", ENTRIES.version] == head(database))
        assert active(database) == AS_BEFORE


def replace_table(change: Any, build: Any) -> Any:
    return replace(change, table=build.tables[0])
