"""Given credit events, this is what a bookkeeper writes down."""

from collections import Counter
from datetime import timedelta

import pytest
from msgspec.structs import replace

from domain.credit import commands as c
from domain.credit.decider import CREDIT
from domain.credit.retired import ShortfallRecordedV1
from projections.ledger_entries.project import LEDGER_ENTRY, PROJECTION
from tests.projections.story import Log, open_account, reserve, settle
from tests.projections.tables import replayed_rows

AVAILABLE, HELD, OWED = "customer:acct:available", "customer:acct:held", "customer:acct:owed"
FULL = 450_000


@pytest.fixture
def log() -> Log:
    log = Log()
    open_account(log, "acct")
    log.command(CREDIT, "acct", c.Grant(at=log.at, lot_id="lot", kind="promo", amount_nusd=10**6))
    return log


def entries(log: Log) -> dict[str, int]:
    """The last event's."""
    rows = replayed_rows(PROJECTION, LEDGER_ENTRY, log.events[-1:])
    assert sum(row["amount_nusd"] for row in rows) == 0
    return {row["book"]: row["amount_nusd"] for row in rows}


def balances(log: Log) -> Counter[str]:
    found: Counter[str] = Counter()
    for row in replayed_rows(PROJECTION, LEDGER_ENTRY, log.events):
        found[row["book"]] += row["amount_nusd"]
    return found


def test_a_grant_is_funded_by_its_kind(log: Log) -> None:
    assert entries(log) == {"funding:promo": -(10**6), AVAILABLE: 10**6}


def test_a_reserve_moves_within_the_customer(log: Log) -> None:
    log.command(CREDIT, "acct", reserve(log, "acct", "k", "r1"))
    assert entries(log) == {AVAILABLE: -FULL, HELD: FULL}


def test_a_settle_earns_from_what_was_held_and_returns_the_rest(log: Log) -> None:
    log.command(CREDIT, "acct", reserve(log, "acct", "k", "r1"))
    log.command(CREDIT, "acct", settle(log, "r1", 100))
    assert entries(log) == {
        HELD: -FULL,
        "revenue:usage": 195_000,
        AVAILABLE: FULL - 195_000,
        "cost:acme": 100_100,
        "payable:acme": -100_100,
    }


def test_an_overage_is_taken_from_available(log: Log) -> None:
    log.command(CREDIT, "acct", reserve(log, "acct", "k", "r1"))
    log.command(CREDIT, "acct", settle(log, "r1", 1_000))
    found = entries(log)
    assert (found["revenue:usage"], found[AVAILABLE]) == (735_000, FULL - 735_000)


def test_a_shortfall_is_its_own_pair(log: Log) -> None:
    log.command(CREDIT, "acct", reserve(log, "acct", "k", "r1"))
    log.command(CREDIT, "acct", settle(log, "r1", 5_000))
    assert entries(log) == {"uncollected:served": 2_135_000, OWED: -2_135_000}
    assert balances(log)[AVAILABLE] == 0


def test_a_shortfall_of_version_1_is_owed_by_nobody(log: Log) -> None:
    old = ShortfallRecordedV1(at=log.at, reservation_id="r1", key_id="k", amount_nusd=7)
    recorded = replace(log.events[-1], tag=old.tag, event=old.upcast())
    rows = replayed_rows(PROJECTION, LEDGER_ENTRY, [recorded])
    assert [(row["book"], row["amount_nusd"], row["tag"]) for row in rows] == [
        ("uncollected:served", 7, "credit.shortfall_recorded.v1"),
        ("uncollected:absorbed", -7, "credit.shortfall_recorded.v1"),
    ]


def test_a_shortfall_is_earned_when_it_is_paid(log: Log) -> None:
    log.command(CREDIT, "acct", reserve(log, "acct", "k", "r1"))
    log.command(CREDIT, "acct", settle(log, "r1", 5_000))
    log.command(CREDIT, "acct", c.Grant(at=log.at, lot_id="new", kind="purchased", amount_nusd=3_000_000))
    assert entries(log) == {
        AVAILABLE: -2_135_000,
        "revenue:usage": 2_135_000,
        "uncollected:served": -2_135_000,
        OWED: 2_135_000,
    }
    after = balances(log)
    assert (after[OWED], after["uncollected:served"], after["revenue:usage"]) == (0, 0, 10**6 + 2_135_000)
    assert after[AVAILABLE] == 3_000_000 - 2_135_000


def test_release_and_expiry_return_what_was_held(log: Log) -> None:
    log.command(CREDIT, "acct", reserve(log, "acct", "k", "r1"))
    log.command(CREDIT, "acct", reserve(log, "acct", "k", "r2"))
    log.command(CREDIT, "acct", c.Release(at=log.at, reservation_id="r1", reason="x"))
    assert entries(log) == {HELD: -FULL, AVAILABLE: FULL}
    log.at += timedelta(hours=1)
    log.command(CREDIT, "acct", c.ExpireReservation(at=log.at, reservation_id="r2"))
    assert entries(log) == {HELD: -FULL, AVAILABLE: FULL}
    assert balances(log) == Counter({"funding:promo": -(10**6), AVAILABLE: 10**6, HELD: 0})


def test_a_lapsed_lot_is_breakage(log: Log) -> None:
    later = log.at + timedelta(seconds=5)
    log.command(CREDIT, "acct", c.Grant(at=log.at, lot_id="l2", kind="trial", amount_nusd=9, expires_at=later))
    log.command(CREDIT, "acct", c.ExpireLot(at=later, lot_id="l2"))
    assert entries(log) == {AVAILABLE: -9, "breakage:trial": 9}


def test_what_moves_nothing_is_not_written(log: Log) -> None:
    log.command(CREDIT, "acct", reserve(log, "acct", "k", "r1"))
    log.command(CREDIT, "acct", settle(log, "r1", 100, generation={"provider_cost_nusd": 0}))
    rows = replayed_rows(PROJECTION, LEDGER_ENTRY, log.events[-1:])
    assert [row["line"] for row in rows] == [1, 2, 3]
