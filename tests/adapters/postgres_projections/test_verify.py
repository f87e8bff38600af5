"""`verify` says nothing against a ledger that is whole, and never mistakes lag for damage."""

import psycopg
import pytest

from adapters.outbound.postgres.builds.project_log import Projector
from adapters.outbound.postgres.verify import examine_ledger
from adapters.outbound.postgres.verify.examine_ledger import pinned_evidence
from adapters.outbound.postgres.wire.connection import conninfo
from application.audit.verify_ledger import verify_ledger
from projections.engine.registry import NAMES
from tests.projections.append_events import append_events, append_raw
from tests.projections.story import halves, wild_story
from tests.rigs.databases import ROLES, Database
from tests.rigs.postgres.verifying import first_finding, store_snapshots, verdict, whole_ledger


@pytest.mark.parametrize("seed", [60, 61, 62])
def test_a_whole_ledger_is_clean(database: Database, seed: int) -> None:
    events = whole_ledger(database, seed)
    report = verdict(database)
    assert report.is_clean
    assert report.state.head == len(events)
    assert [(model.name, model.position, model.lag_s) for model in report.state.read_models] == [
        (name, len(events), 0.0) for name in NAMES
    ]
    assert not report.state.runs_as_one_role


def test_an_empty_ledger_is_clean(database: Database) -> None:
    Projector(database.projector).catch_up()
    assert verdict(database).is_clean


def test_read_models_are_judged_at_their_own_position(database: Database) -> None:
    before, after = halves(wild_story(64))
    append_events(database.writer, before)
    Projector(database.projector).catch_up()
    append_events(database.writer, after)
    assert verdict(database).is_clean
    Projector(database.projector, page_size=7, on_page=lambda page: None).catch_up()
    database.sql("UPDATE read.positions SET position = position - 1 WHERE projection = 'ledger_entries'")
    assert not verdict(database).is_clean


def test_lag_is_reported_and_fails_beyond_its_bound(database: Database) -> None:
    append_events(database.writer, wild_story(65, steps=20))
    Projector(database.projector).catch_up()
    append_raw(database.writer, "account-new", 1, "account.opened.v1", OPENED)
    report = verdict(database)
    assert "lag" not in {finding.check for finding in report.findings}
    assert all(model.lag_s > 0 for model in report.state.read_models)
    lagging = verdict(database, max_lag_s=0.0)
    assert [finding.position for finding in lagging.findings if finding.check == "lag"] == [report.state.head] * 4


OPENED = b'{"at":"2026-11-23T00:00:00Z","account_id":"new","username":"","email":""}'


def test_an_idle_ledger_does_not_lag(database: Database) -> None:
    whole_ledger(database, 66)
    assert verdict(database, max_lag_s=0.0).is_clean


def test_a_parked_account_is_a_finding_and_the_rest_is_still_compared(database: Database) -> None:
    events = whole_ledger(database, 67)
    append_raw(database.writer, "credit-odd", 1, "credit.invented.v1", b"{}")
    Projector(database.projector).catch_up()
    report = verdict(database)
    bad = len(events) + 1
    assert {finding.check for finding in report.findings} == {"log", "parked"}
    assert {finding.position for finding in report.findings} == {bad}
    assert [(parked.read_model, parked.account) for parked in report.state.parked] == [(n, "odd") for n in NAMES]


def test_a_poison_event_that_was_not_parked_is_a_finding(database: Database) -> None:
    append_raw(database.writer, "credit-odd", 1, "credit.invented.v1", b"{}")
    Projector(database.projector).catch_up()
    database.sql("DELETE FROM read.parked WHERE projection = 'generation'")
    found = [finding for finding in verdict(database).findings if finding.check == "read_models"]
    assert [(finding.position, finding.place) for finding in found] == [(1, "read model generation")]


def test_read_models_that_were_never_built_are_missing(database: Database) -> None:
    append_events(database.writer, wild_story(68, steps=10))
    missing = [finding.place for finding in verdict(database).findings if "never built" in finding.message]
    assert missing == [f"read model {name}" for name in NAMES]


def test_tables_of_another_version_are_not_compared_but_told(database: Database) -> None:
    whole_ledger(database, 69)
    database.sql("UPDATE read.positions SET version = 9 WHERE projection = 'generation'")
    database.sql("UPDATE read.active SET version = 9 WHERE projection = 'generation'")
    found = first_finding(database)
    assert (found.place, found.message) == (
        "read model generation",
        "was never built in a version that this release knows",
    )


def test_running_as_one_role_is_told(database: Database) -> None:
    whole_ledger(database, 70)
    database.sql(f"ALTER SCHEMA read OWNER TO {ROLES.owner}")
    report = verdict(database)
    assert report.state.runs_as_one_role and report.is_clean


def test_an_examiner_who_could_change_the_log_is_told(database: Database) -> None:
    whole_ledger(database, 71)
    with pinned_evidence(conninfo(database.owner)) as evidence:
        assert verify_ledger(evidence).state.runs_as_one_role


def test_appends_and_projections_go_on_during_a_verification(database: Database) -> None:
    before, after = halves(wild_story(71))
    append_events(database.writer, before)
    store_snapshots(database, before)
    Projector(database.projector).catch_up()
    with examine_ledger.pinned_evidence(database.auditor) as evidence:
        assert evidence.state().head == len(before)
        append_events(database.writer, after)
        Projector(database.projector).catch_up()
        assert evidence.examine().findings == []
        assert evidence.state().head == len(before)


def test_the_auditor_can_do_no_more_than_read(database: Database) -> None:
    with psycopg.connect(database.auditor, autocommit=True) as connection:
        connection.execute("SET default_transaction_read_only = off")
        for statement in ("DELETE FROM ledger.head", "DELETE FROM ledger.commands", "TRUNCATE ledger.blocks"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.encode())
