"""A new build of a read model beside the one that readers use: caught up, then switched to by one row."""

import asyncio
import threading
import time
from collections.abc import Sequence
from typing import Any

import psycopg
from msgspec.structs import replace

from adapters.outbound.postgres.builds.build_beside import BuildBeside
from adapters.outbound.postgres.builds.builds_in_use import in_use_sql
from adapters.outbound.postgres.builds.install_read_models import install_read_models
from adapters.outbound.postgres.builds.lead_builds import lock_of
from adapters.outbound.postgres.builds.project_log import Projector
from adapters.outbound.postgres.project.advance_read_models import PageWritten
from adapters.outbound.postgres.read.ask_builds import PoolReader
from adapters.outbound.postgres.read.measure_lag import projection_lag_s
from adapters.outbound.postgres.read.reads import postgres_reads
from domain.credit.events import Granted
from domain.log import RecordedEvent
from projections.engine.changes import Change, Logged, Projection
from projections.engine.registry import NAMES, PROJECTIONS
from tests.projections.append_events import append_events
from tests.projections.raised.project import PROJECTION as RAISED_ENTRIES
from tests.projections.story import halves, wild_story
from tests.projections.tables import replayed_tables, stored_tables
from tests.rigs.databases import Database
from tests.rigs.postgres.asking import pool_of
from tests.rigs.postgres.projecting import active, eventually, head, running, stands
from tests.rigs.postgres.raised_builds import (
    AS_BEFORE,
    CREDIT,
    ENTRIES,
    ENTRY_TABLE,
    GENEROUS,
    NEW,
    NEXT_RELEASE,
    OLD,
    RAISED_CREDIT,
    SWITCHED,
    credits_of,
)

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
