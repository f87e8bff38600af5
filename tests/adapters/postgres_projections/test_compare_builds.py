"""Two builds of a read model are compared before readers are switched, and `verify` checks both."""

import threading
from collections.abc import Sequence
from itertools import groupby

import psycopg
import pytest
from msgspec.structs import replace

from adapters.outbound.postgres.builds.build_beside import Difference
from adapters.outbound.postgres.builds.install_read_models import install_read_models
from adapters.outbound.postgres.builds.project_log import Projector
from adapters.outbound.postgres.project.advance_read_models import Parked
from adapters.outbound.postgres.verify import read_state
from domain.credit.events import Granted
from domain.log import RecordedEvent
from projections.engine.changes import Change, Logged
from projections.engine.registry import PROJECTIONS
from tests.projections.append_events import append_events
from tests.projections.raised.project import PROJECTION as RAISED_ENTRIES
from tests.projections.story import halves, wild_story
from tests.rigs.databases import Database
from tests.rigs.postgres.projecting import active, eventually, running
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
from tests.rigs.postgres.verifying import verdict

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


def test_a_year_that_python_does_not_have_is_compared(database: Database, events: list[RecordedEvent]) -> None:
    database.sql(f"UPDATE read.credit_lot_{CREDIT.build} SET expires_at = '12000-01-01' WHERE position > 5")
    alarms: list[Difference] = []
    with running(database, builds=[*PROJECTIONS, RAISED_CREDIT], on_difference=alarms.append):
        eventually(lambda: bool(alarms))
    assert alarms[0].difference.endswith("column expires_at is not the active build's")


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


def test_an_old_build_that_lags_is_no_finding(
    database: Database, events: list[RecordedEvent], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody reads it; its rows are right for its position."""
    monkeypatch.setattr(read_state, "BUILDS", NEXT_RELEASE)
    with psycopg.connect(database.projector, autocommit=True) as connection:
        install_read_models(connection, NEXT_RELEASE)
    assert verdict(database, max_lag_s=0.0).is_clean
