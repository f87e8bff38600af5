"""Given a request's events, these facts are kept of it."""

from datetime import timedelta

import pytest

from domain.credit import commands as c
from domain.credit.decider import CREDIT
from domain.credit.events import Attempt
from projections.generation.app_column import app_and_title
from projections.generation.project import (
    GENERATION_ATTEMPT,
    GENERATION_END,
    GENERATION_EXTENSION,
    GENERATION_RESERVE,
    PROJECTION,
)
from tests.projections.story import Log, open_account, reserve, settle
from tests.projections.tables import replayed_rows

FAILED = Attempt(provider="acme", error_class="timeout", status=504, duration_ms=30)


@pytest.fixture
def log() -> Log:
    """An account with credit and one open reservation."""
    log = Log()
    open_account(log, "acct")
    log.command(CREDIT, "acct", c.Grant(at=log.at, lot_id="lot", kind="promo", amount_nusd=10**6))
    log.command(CREDIT, "acct", reserve(log, "acct", "k", "r1", requested_model="auto\x00"))
    return log


def test_a_reserve_is_kept_as_it_was_asked(log: Log) -> None:
    (row,) = replayed_rows(PROJECTION, GENERATION_RESERVE, log.events)
    assert (row["reservation_id"], row["account_id"], row["key_id"], row["amount_nusd"]) == ("r1", "acct", "k", 450_000)
    assert (row["granted_tokens"], row["requested_tokens"], row["holds"]) == (500, 500, '[["lot",450000]]')


def test_what_the_app_calls_itself_stays_sealed_beside_its_origin(log: Log) -> None:
    log.command(CREDIT, "acct", c.Grant(at=log.at, lot_id="more", kind="promo", amount_nusd=10**6))
    log.command(CREDIT, "acct", reserve(log, "acct", "k", "r2", app="https://a.example", title=b"\x00\xffsealed"))
    log.command(CREDIT, "acct", reserve(log, "acct", "k", "r3", app="", title=b"sealed"))
    rows = replayed_rows(PROJECTION, GENERATION_RESERVE, log.events)
    assert [app_and_title(row["app"]) for row in rows] == [
        ("https://app.example", b""),
        ("https://a.example", b"\x00\xffsealed"),
        ("", b"sealed"),
    ]


def test_what_postgres_cannot_hold_is_replaced(log: Log) -> None:
    (row,) = replayed_rows(PROJECTION, GENERATION_RESERVE, log.events)
    assert row["requested_model"] == "auto\ufffd"


def test_a_settle_keeps_charge_usage_and_split(log: Log) -> None:
    log.command(CREDIT, "acct", settle(log, "r1", 100))
    (row,) = replayed_rows(PROJECTION, GENERATION_END, log.events)
    assert (row["status"], row["cost_nusd"], row["shortfall_nusd"], row["charge_nusd"]) == (
        "settled",
        195_000,
        0,
        195_000,
    )
    assert row["charge_lines"] == '[["input",900,150000000],["output",100,600000000]]'
    assert (row["usage"], row["burnt"]) == ('{"input":900,"output":100}', '[["lot",195000]]')
    assert (row["ttft_ms"], row["total_ms"], row["streamed"], row["finish_reason"]) == (120, 900, True, "stop")


def test_a_shortfall_is_the_rest_of_the_charge(log: Log) -> None:
    log.command(CREDIT, "acct", settle(log, "r1", 5_000))
    (row,) = replayed_rows(PROJECTION, GENERATION_END, log.events)
    assert (row["cost_nusd"], row["shortfall_nusd"], row["charge_nusd"]) == (10**6, 2_135_000, 3_135_000)


def test_a_release_keeps_its_reason_and_its_failed_attempt(log: Log) -> None:
    log.command(CREDIT, "acct", c.RecordAttempt(at=log.at, reservation_id="r1", attempt=FAILED))
    log.command(CREDIT, "acct", c.Release(at=log.at, reservation_id="r1", reason="provider_failed", attempt=FAILED))
    (row,) = replayed_rows(PROJECTION, GENERATION_END, log.events)
    assert (row["status"], row["reason"], row["cost_nusd"], row["usage"]) == ("released", "provider_failed", 0, None)
    attempts = replayed_rows(PROJECTION, GENERATION_ATTEMPT, log.events)
    assert [(a["provider"], a["error_class"], a["status"]) for a in attempts] == [("acme", "timeout", 504)] * 2


def test_an_expiry_names_provider_and_rule(log: Log) -> None:
    log.at += timedelta(hours=1)
    log.command(CREDIT, "acct", c.ExpireReservation(at=log.at, reservation_id="r1"))
    (row,) = replayed_rows(PROJECTION, GENERATION_END, log.events)
    assert (row["status"], row["reason"], row["provider"]) == ("expired", "expire-release-v1", "acme")


def test_an_extension_is_a_fact_of_its_own(log: Log) -> None:
    log.command(CREDIT, "acct", c.ExtendReservation(at=log.at, reservation_id="r1", amount_nusd=450_009))
    (row,) = replayed_rows(PROJECTION, GENERATION_EXTENSION, log.events)
    assert (row["added_nusd"], row["holds"]) == (9, '[["lot",9]]')
