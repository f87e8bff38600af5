"""What the API and the expiry loop ask, of tables that a projector wrote."""

from datetime import timedelta
from typing import Any

import pytest

from adapters.outbound.postgres.builds.builds_in_use import guarded
from adapters.outbound.postgres.builds.project_log import Projector
from application.reads.credits import Credits
from application.reads.keys import KeySpending
from domain.account.account import ACCOUNT, ChangeState
from domain.api_key.api_key import API_KEY, Change, Revoke, Rotate
from domain.api_key.events import KeySettings, Secret
from domain.credit import commands as c
from domain.credit.decider import CREDIT
from domain.credit.events import Attempt, ShortfallPaid
from domain.credit.lot import Part
from domain.log import RecordedEvent
from domain.window import KeyLimit
from projections.api_key.project import PROJECTION
from projections.api_key.queries import FIND_KEY
from projections.available_credit.project import PROJECTION as AVAILABLE_CREDIT
from projections.engine.registry import BUILDS
from tests.adapters.postgres_projections.asking import ask
from tests.databases import Database
from tests.projections.append_events import append_events
from tests.projections.story import Log, open_account, reserve, settle, wild_story

FULL = 450_000
FAILED = Attempt(provider="acme", error_class="timeout", status=504, duration_ms=30)


@pytest.fixture
def log() -> Log:
    log = Log()
    open_account(log, "acct", keys=2)
    return log


def projected(database: Database, log: Log) -> None:
    append_events(database.writer, log.events)
    Projector(database.projector).catch_up()


def credit(log: Log, *commands: Any) -> None:
    for command in commands:
        assert log.command(CREDIT, "acct", command), command


def grant(log: Log, lot_id: str = "lot", amount_nusd: int = 10**6, **more: Any) -> c.Grant:
    return c.Grant(at=log.at, lot_id=lot_id, kind="purchased", amount_nusd=amount_nusd, **more)


# ---- keys


def test_a_key_is_found_by_its_secret_as_the_aggregate_has_it(database: Database, log: Log) -> None:
    settings = KeySettings(label=b"l", limit=KeyLimit(7, "daily"), expires_at=log.at + timedelta(days=1))
    log.command(API_KEY, "acct-k0", Change(at=log.at, settings=settings))
    log.command(ACCOUNT, "acct", ChangeState(at=log.at, state="past_due"))
    projected(database, log)
    found = ask(database, lambda reads: reads.keys.with_secret(b"hash of acct-k0"))
    assert found is not None
    assert found.key == log.states["key-acct-k0"]
    assert (found.account_state, found.position) == ("past_due", len(log.events))


def test_the_former_secret_finds_the_key_within_its_grace(database: Database, log: Log) -> None:
    rotate = Rotate(at=log.at, secret=Secret(b"second", "2222"), grace_s=3_600)
    log.command(API_KEY, "acct-k0", rotate)
    projected(database, log)
    found = ask(database, lambda reads: reads.keys.with_secret(b"hash of acct-k0"))
    assert found is not None and found.key == log.states["key-acct-k0"]
    assert found.key.refusal(b"hash of acct-k0", log.at) is None
    assert found.key.refusal(b"hash of acct-k0", log.at + timedelta(hours=1)) == "invalid_api_key"


def test_a_secret_of_two_rotations_ago_opens_nothing(database: Database, log: Log) -> None:
    for name in (b"second", b"third"):
        log.command(API_KEY, "acct-k0", Rotate(at=log.at, secret=Secret(name, "xxxx"), grace_s=3_600))
    projected(database, log)
    for name in (b"hash of acct-k0", b"second", b"third"):
        found = ask(database, lambda reads, name=name: reads.keys.with_secret(name))  # type: ignore[misc]
        assert found is not None and found.key == log.states["key-acct-k0"]


def test_an_unknown_secret_finds_nothing(database: Database, log: Log) -> None:
    projected(database, log)
    assert ask(database, lambda reads: reads.keys.with_secret(b"?")) is None


def test_looking_a_key_up_reads_only_by_index(database: Database, log: Log) -> None:
    projected(database, log)
    database.sql("INSERT INTO read.api_key_secret_v1 SELECT n::text::bytea, n::text FROM generate_series(1, 20000) n")
    database.sql("INSERT INTO read.api_key_v1 SELECT n::text FROM generate_series(1, 20000) n")
    database.sql("ANALYZE")
    asked = guarded(FIND_KEY, PROJECTION, BUILDS).replace("$1", "'x'::bytea")
    plan = str(database.sql("EXPLAIN " + asked))
    assert "Seq Scan on api_key" not in plan and "api_key_secret_v1_pkey" in plan


def test_keys_are_listed_with_what_they_spent(database: Database, log: Log) -> None:
    credit(log, grant(log, amount_nusd=10**9))
    for days, reservation in ((0, "r0"), (1, "r1"), (6, "r6"), (9, "r9")):
        log.at += timedelta(days=days)
        credit(log, reserve(log, "acct", "acct-k1", reservation), settle(log, reservation, 100))
    log.command(API_KEY, "acct-k0", Revoke(at=log.at))
    projected(database, log)
    listed = ask(database, lambda reads: reads.keys.of_account("acct", log.at))
    assert [record.key.key_id for record in listed] == ["acct-k1"]
    cost = 195_000
    # Sunday 22, Monday 23 and 29 November, 8 December: of these one lies in December and in its week
    assert listed[0].spending == KeySpending(4 * cost, cost, cost, cost, 4)
    back = ask(database, lambda reads: reads.keys.of_account("acct", log.at - timedelta(days=9)))
    assert back[0].spending == KeySpending(4 * cost, 2 * cost, 3 * cost, 4 * cost, 4)


def test_one_key_is_read_revoked_or_not_but_only_of_its_account(database: Database, log: Log) -> None:
    log.command(API_KEY, "acct-k0", Revoke(at=log.at))
    projected(database, log)
    found = ask(database, lambda reads: reads.keys.find("acct", "acct-k0", log.at))
    assert found is not None and found.key.revoked and found.position == len(log.events)
    assert found.spending == KeySpending()
    assert ask(database, lambda reads: reads.keys.find("other", "acct-k0", log.at)) is None


def test_an_account_is_read(database: Database, log: Log) -> None:
    projected(database, log)
    found = ask(database, lambda reads: reads.accounts.find("acct"))
    assert found is not None
    assert (found.state, found.username, found.email, found.position) == ("active", b"sealed", b"sealed@", 1)
    assert ask(database, lambda reads: reads.accounts.find("nobody")) is None


# ---- credit


def test_credits_add_up(database: Database, log: Log) -> None:
    credit(log, grant(log), reserve(log, "acct", "k", "r1"), settle(log, "r1", 100), reserve(log, "acct", "k", "r2"))
    projected(database, log)
    found = ask(database, lambda reads: reads.credits.of_account("acct"))
    assert (found.total_credits_nusd, found.total_usage_nusd) == (10**6, 195_000)
    assert (found.posted_nusd, found.held_nusd, found.open_reservations) == (805_000, FULL, 1)
    assert found.available_nusd == log.credit("acct").available_nusd(log.at)
    assert (found.position, found.not_provable_beyond) == (len(log.events), None)


def test_an_account_without_credit_has_zero(database: Database, log: Log) -> None:
    projected(database, log)
    assert ask(database, lambda reads: reads.credits.of_account("acct")) == Credits(account_id="acct")


def test_a_parked_account_is_marked(database: Database, log: Log) -> None:
    credit(log, grant(log))
    projected(database, log)
    for account, position in (("acct", 3), ("new", 9)):
        parked = [AVAILABLE_CREDIT.name, AVAILABLE_CREDIT.version, account, position]
        database.sql("INSERT INTO read.parked VALUES (%s, %s, %s, %s, 'x')", *parked)
    assert ask(database, lambda reads: reads.credits.of_account("acct")).not_provable_beyond == 3
    assert ask(database, lambda reads: reads.credits.of_account("new")).not_provable_beyond == 9


def test_due_reservations_are_the_longest_overdue_first(database: Database, log: Log) -> None:
    credit(log, grant(log, "small", FULL - 1), grant(log))
    credit(log, reserve(log, "acct", "k", "r1"))
    log.at += timedelta(seconds=10)
    credit(log, reserve(log, "acct", "k", "r2"), reserve(log, "acct", "k", "r3"), settle(log, "r3", 1))
    projected(database, log)
    first, second = log.at + timedelta(seconds=1_490), log.at + timedelta(seconds=1_500)
    assert ask(database, lambda reads: reads.due.reservations(first - timedelta(seconds=1), 9)) == []
    assert ask(database, lambda reads: reads.due.reservations(first, 9)) == [("acct", "r1")]
    assert ask(database, lambda reads: reads.due.reservations(second, 9)) == [("acct", "r1"), ("acct", "r2")]
    assert ask(database, lambda reads: reads.due.reservations(second, 1)) == [("acct", "r1")]
    assert ask(database, lambda reads: reads.credits.open_reservations()) == 2


def test_due_lots_are_those_with_something_left(database: Database, log: Log) -> None:
    soon = log.at + timedelta(seconds=60)
    credit(
        log,
        grant(log, "burnt", 195_000, expires_at=soon, priority=1),
        grant(log, "taken", 5, expires_at=soon),
        grant(log, "left", 10**6, expires_at=soon + timedelta(seconds=1)),
        grant(log, "for ever", 10**6),
        reserve(log, "acct", "k", "r1"),
        settle(log, "r1", 100),
    )
    log.at = soon
    credit(log, c.ExpireLot(at=soon, lot_id="taken"))
    projected(database, log)
    assert ask(database, lambda reads: reads.due.lots(soon, 9)) == []
    assert ask(database, lambda reads: reads.due.lots(soon + timedelta(seconds=1), 9)) == [("acct", "left")]


# ---- requests


def test_what_an_app_calls_itself_comes_back_as_it_was_sealed(database: Database, log: Log) -> None:
    credit(log, grant(log, amount_nusd=10**7), reserve(log, "acct", "acct-k0", "r1", title=b"\x00\xff sealed"))
    credit(log, reserve(log, "acct", "acct-k0", "r2", app="https://b.example"))
    projected(database, log)
    titled = ask(database, lambda reads: reads.generations.find("acct", "r1"))
    plain = ask(database, lambda reads: reads.generations.find("acct", "r2"))
    assert titled is not None and plain is not None
    assert (titled.app, titled.title) == ("https://app.example", b"\x00\xff sealed")
    assert (plain.app, plain.title) == ("https://b.example", b"")


def test_a_request_is_shown_from_reserve_to_end(database: Database, log: Log) -> None:
    credit(
        log,
        grant(log),
        reserve(log, "acct", "k", "r1"),
        c.RecordAttempt(at=log.at, reservation_id="r1", attempt=FAILED),
    )
    projected(database, log)
    found = ask(database, lambda reads: reads.generations.find("acct", "gen-r1"))
    assert found is not None
    assert (found.status, found.reserved_nusd, found.cost_nusd, found.ended_at) == ("reserved", FULL, 0, None)
    assert (found.holds, found.burnt, found.usage, found.attempts) == ((Part("lot", FULL),), (), {}, (FAILED,))
    before = len(log.events)
    credit(log, settle(log, "r1", 100))
    append_events(database.writer, log.events[before:])
    Projector(database.projector).catch_up()
    found = ask(database, lambda reads: reads.generations.find("acct", "r1"))
    assert found is not None
    settled: Any = log.events[-1].event
    assert (found.status, found.cost_nusd, found.charge_nusd) == ("settled", 195_000, 195_000)
    assert (found.lines, found.burnt) == (settled.charge.lines, settled.burnt)
    assert (found.usage, found.provider_cost_nusd) == ({"input": 900, "output": 100}, 100_100)
    assert (found.reserve_position, found.position) == (before - 1, len(log.events))


def test_an_extended_reservation_shows_what_it_holds(database: Database, log: Log) -> None:
    extend = c.ExtendReservation(at=log.at, reservation_id="r1", amount_nusd=FULL + 9)
    credit(log, grant(log), reserve(log, "acct", "k", "r1"), extend)
    projected(database, log)
    found = ask(database, lambda reads: reads.generations.find("acct", "r1"))
    assert found is not None and found.reserved_nusd == FULL + 9


def test_a_late_settle_is_found_by_the_id_the_customer_was_given(database: Database, log: Log) -> None:
    credit(log, grant(log), reserve(log, "acct", "k", "r1"))
    log.at += timedelta(hours=1)
    credit(log, c.ExpireReservation(at=log.at, reservation_id="r1"))
    credit(log, settle(log, "r1", 100, late=reserve(log, "acct", "k", "r1-late")))
    projected(database, log)
    found = ask(database, lambda reads: reads.generations.find("acct", "gen-r1"))
    assert found is not None
    assert (found.reservation_id, found.replaces, found.status) == ("r1-late", "r1", "settled")


def test_a_request_of_another_account_is_not_shown(database: Database, log: Log) -> None:
    credit(log, grant(log), reserve(log, "acct", "k", "r1"))
    projected(database, log)
    assert ask(database, lambda reads: reads.generations.find("other", "gen-r1")) is None
    assert ask(database, lambda reads: reads.generations.find("acct", "gen-r2")) is None


# ---- statement


def is_paid(recorded: RecordedEvent, account_id: str) -> bool:
    return recorded.stream == CREDIT.stream(account_id) and isinstance(recorded.event, ShortfallPaid)


def test_a_statement_tells_lots_and_requests_as_of_one_moment(database: Database) -> None:
    events = wild_story(31)
    append_events(database.writer, events)
    Projector(database.projector).catch_up()
    for account_id in ("acct-0", "acct-1", "acct-2"):
        told = ask(database, lambda reads, who=account_id: reads.statements.of_account(who, 1_000))  # type: ignore[misc]
        assert told.position == len(events)
        assert sum(lot.available_nusd for lot in told.lots) == told.credits.available_nusd
        assert sum(lot.held_nusd for lot in told.lots) == told.credits.held_nusd
        paid = [each.event.amount_nusd for each in events if is_paid(each, account_id)]  # type: ignore[attr-defined]
        assert sum(request.cost_nusd for request in told.requests) + sum(paid) == told.credits.total_usage_nusd
        assert sum(lot.burnt_nusd for lot in told.lots) == told.credits.total_usage_nusd
        assert sum(request.status == "reserved" for request in told.requests) == told.credits.open_reservations
        positions = [request.reserve_position for request in told.requests]
        assert positions == sorted(positions)
        newest = ask(database, lambda reads, who=account_id: reads.statements.of_account(who, 3))  # type: ignore[misc]
        assert list(newest.requests) == list(told.requests)[-3:]
