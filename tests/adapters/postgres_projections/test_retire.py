"""A build that a release no longer ships is dropped once nothing can come to it any more, and not before."""

import time

import psycopg
import pytest

from adapters.outbound.postgres.builds.lead_builds import lock_of
from adapters.outbound.postgres.builds.project_log import Projector
from adapters.outbound.postgres.builds.retire_builds import retire_builds
from projections.engine.registry import PROJECTIONS
from tests.projections.append_events import append_events
from tests.projections.raised.project import PROJECTION as RAISED_ENTRIES
from tests.projections.story import wild_story
from tests.rigs.databases import Database
from tests.rigs.postgres.projecting import active, stands
from tests.rigs.postgres.raised_builds import NEXT_RELEASE, RAISED_CREDIT, credits_of

RAISED = (RAISED_CREDIT, RAISED_ENTRIES)
RAISED_NAMES = {build.name for build in RAISED}
LAST_RELEASE = tuple(build for build in NEXT_RELEASE if build.name not in RAISED_NAMES or build in RAISED)
"""One that no longer ships what was raised."""

BEFORE = [build for build in PROJECTIONS if build.name in RAISED_NAMES]
DROPPED = [(build.name, build.version) for build in BEFORE]
OLD_CREDIT, OLD_ENTRIES = DROPPED


def retire(database: Database, builds: tuple[object, ...] = LAST_RELEASE) -> list[tuple[str, int]]:
    with psycopg.connect(database.projector, autocommit=True) as connection:
        return retire_builds(connection, builds)  # type: ignore[arg-type]


@pytest.fixture
def switched(database: Database) -> Database:
    """Both builds, the new one in use."""
    append_events(database.writer, wild_story(91))
    Projector(database.projector).catch_up()
    Projector(database.projector, NEXT_RELEASE).catch_up()
    return database


def tables(database: Database) -> set[object]:
    return {name for (name,) in database.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'read'")}


def test_it_goes_with_all_that_belongs_to_it(switched: Database) -> None:
    database = switched
    parked = "INSERT INTO read.parked VALUES ('available_credit', %s, 'x', 1, 'x'), ('generation', 1, 'x', 1, 'x')"
    database.sql(parked, OLD_CREDIT[1])
    before = credits_of(database, "acct-0")
    old = {f"{table.name}_{build.build}" for build in BEFORE for table in build.tables}
    assert old <= tables(database)
    assert retire(database) == DROPPED
    assert not old & tables(database)
    assert set(stands(database)) == {(build.name, build.version) for build in LAST_RELEASE}
    assert database.sql("SELECT projection FROM read.parked") == [("generation",)]
    assert database.sql("SELECT count(*) FROM read.trial_balance") != [(0,)]
    assert credits_of(database, "acct-0", LAST_RELEASE) == before
    assert retire(database) == []


def test_a_release_that_ships_it_keeps_it(switched: Database) -> None:
    assert retire(switched, NEXT_RELEASE) == []
    assert retire(switched, PROJECTIONS) == []


@pytest.mark.parametrize("role", ["owner", "writer", "auditor"])
def test_it_waits_for_each_snapshot_that_is_older_than_the_switch(database: Database, role: str) -> None:
    """Of any role: also of one that has not read anything of it yet."""
    append_events(database.writer, wild_story(92))
    Projector(database.projector).catch_up()
    with psycopg.connect(getattr(database, role)) as reader:
        reader.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        reader.execute("SELECT 1")
        Projector(database.projector, NEXT_RELEASE).catch_up()
        assert retire(database) == []
        assert reader.execute(f"SELECT count(*) > 0 FROM read.credit_account_v{OLD_CREDIT[1]}").fetchone() == (True,)
    assert retire(database) == DROPPED


def test_a_snapshot_that_is_younger_than_the_switch_is_not_waited_for(switched: Database) -> None:
    """A snapshot counts as old as the oldest transaction that ran when it was taken, in any database of the server:
    other tests' too, so that a reader may seem older than it is. The next one does not.
    """
    switched.sql("CREATE TABLE public.unrelated ()")
    dropped: list[tuple[str, int]] = []
    deadline_s = time.monotonic() + 20
    while dropped != DROPPED and time.monotonic() < deadline_s:
        with psycopg.connect(switched.writer) as reader:
            reader.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            reader.execute("SELECT FROM read.active")
            dropped += retire(switched)
    assert dropped == DROPPED


def test_it_waits_for_a_process_that_leads_it(switched: Database) -> None:
    with psycopg.connect(switched.owner, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [lock_of(*OLD_CREDIT)])
        assert retire(switched) == [OLD_ENTRIES]
    assert retire(switched) == [OLD_CREDIT]


def test_it_stays_while_it_is_in_use(switched: Database) -> None:
    switched.sql("UPDATE read.active SET version = %s WHERE projection = 'available_credit'", OLD_CREDIT[1])
    assert retire(switched) == [OLD_ENTRIES]
    assert active(switched)["available_credit"] == OLD_CREDIT[1]


def test_a_view_of_somebodys_own_on_it_keeps_it(switched: Database) -> None:
    switched.sql(f"CREATE VIEW public.mine AS SELECT * FROM read.ledger_entry_v{OLD_ENTRIES[1]}")
    assert retire(switched) == [OLD_CREDIT]
    switched.sql("DROP VIEW public.mine")
    assert retire(switched) == [OLD_ENTRIES]
