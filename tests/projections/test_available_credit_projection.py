"""Given credit events, these are the totals, lots and open holds of an account."""

from datetime import timedelta

from msgspec.structs import replace

from domain.credit import commands as c
from domain.credit.decider import CREDIT
from domain.credit.retired import ShortfallRecordedV1
from domain.pricing.quote import Quote
from projections.available_credit.project import CREDIT_ACCOUNT, CREDIT_LOT, OPEN_HOLD, PROJECTION
from tests.projections.story import Log, open_account, reserve, settle
from tests.projections.tables import replayed_rows

FULL = 450_000
"""What a told reservation holds: 1,000 prompt tokens at 150 and 500 output tokens at 600 nUSD each, per thousand."""


def granted(*amounts: int, **more: object) -> Log:
    log = Log()
    open_account(log, "acct")
    for n, amount in enumerate(amounts):
        log.command(
            CREDIT,
            "acct",
            c.Grant(at=log.at, lot_id=f"lot{n}", kind="purchased", amount_nusd=amount, **more),  # type: ignore[arg-type]
        )
    return log


def held(log: Log, reservation_id: str, **more: object) -> None:
    assert log.command(CREDIT, "acct", reserve(log, "acct", "acct-k0", reservation_id, **more))


def totals(log: Log) -> dict[str, int]:
    (row,) = replayed_rows(PROJECTION, CREDIT_ACCOUNT, log.events)
    state = log.credit("acct")
    assert (row["posted_nusd"], row["held_nusd"]) == (state.posted_nusd, state.held_nusd)
    assert row["posted_nusd"] == row["granted_nusd"] - row["settled_nusd"] - row["expired_nusd"]
    assert row["owed_nusd"] == state.owed_nusd
    assert row["position"] == log.events[-1].position
    return row


def test_a_grant_is_posted() -> None:
    log = granted(10**6, 5)
    assert (totals(log)["granted_nusd"], totals(log)["held_nusd"]) == (10**6 + 5, 0)
    assert [row["granted_nusd"] for row in replayed_rows(PROJECTION, CREDIT_LOT, log.events)] == [10**6, 5]


def test_a_reserve_holds_on_its_lots() -> None:
    log = granted(FULL - 100_000, 10**6)
    held(log, "r1")
    assert (totals(log)["held_nusd"], totals(log)["open_reservations"]) == (FULL, 1)
    holds = replayed_rows(PROJECTION, OPEN_HOLD, log.events)
    assert [(row["lot_id"], row["amount_nusd"]) for row in holds] == [("lot0", FULL - 100_000), ("lot1", 100_000)]
    assert {row["expires_at"] for row in holds} == {log.at + timedelta(seconds=1_500)}


def test_a_reservation_of_nothing_is_open_all_the_same() -> None:
    log = granted(1)
    held(log, "r1", quote=Quote(0, 0, 100))
    assert [(row["lot_id"], row["amount_nusd"]) for row in replayed_rows(PROJECTION, OPEN_HOLD, log.events)] == [
        ("", 0)
    ]
    assert totals(log)["open_reservations"] == 1
    log.command(CREDIT, "acct", c.Release(at=log.at, reservation_id="r1", reason="x"))
    assert replayed_rows(PROJECTION, OPEN_HOLD, log.events) == []


def test_an_extension_adds_to_what_is_held() -> None:
    log = granted(10**6)
    held(log, "r1")
    log.command(CREDIT, "acct", c.ExtendReservation(at=log.at, reservation_id="r1", amount_nusd=FULL + 7))
    assert totals(log)["held_nusd"] == FULL + 7
    assert [row["amount_nusd"] for row in replayed_rows(PROJECTION, OPEN_HOLD, log.events)] == [FULL + 7]


def test_a_settle_burns_its_cost_and_frees_the_rest() -> None:
    log = granted(10**6)
    held(log, "r1")
    (settled,) = log.command(CREDIT, "acct", settle(log, "r1", 100))
    row = totals(log)
    assert row["settled_nusd"] == settled.event.paid_nusd == 195_000  # type: ignore[attr-defined]
    assert (row["held_nusd"], row["open_reservations"]) == (0, 0)
    (lot,) = replayed_rows(PROJECTION, CREDIT_LOT, log.events)
    assert lot["burnt_nusd"] == 195_000
    assert replayed_rows(PROJECTION, OPEN_HOLD, log.events) == []


def test_a_shortfall_is_counted_but_not_posted() -> None:
    log = granted(FULL)
    held(log, "r1")
    log.command(CREDIT, "acct", settle(log, "r1", 5_000))
    row = totals(log)
    short = 135_000 + 3_000_000 - FULL
    assert (row["posted_nusd"], row["shortfall_nusd"], row["owed_nusd"]) == (0, short, short)


def test_a_shortfall_of_version_1_is_owed_by_nobody() -> None:
    log = granted(FULL)
    old = ShortfallRecordedV1(at=log.at, reservation_id="r1", key_id="k", amount_nusd=7)
    recorded = replace(log.events[-1], tag=old.tag, event=old.upcast())
    (row,) = replayed_rows(PROJECTION, CREDIT_ACCOUNT, [*log.events, recorded])
    assert (row["shortfall_nusd"], row["owed_nusd"]) == (7, 0)


def test_unpaid_work_is_added_up_and_moves_nothing() -> None:
    log = granted(10**6)
    for name, unpaid in (("r1", c.Unpaid(11, "abandoned")), ("r2", c.Unpaid(10**9, "timed_out"))):
        held(log, name)
        log.command(CREDIT, "acct", c.Release(at=log.at, reservation_id=name, reason="x", unpaid=unpaid))
    row = totals(log)
    assert (row["unpaid_work_nusd"], row["posted_nusd"], row["owed_nusd"]) == (11 + FULL, 10**6, 0)


def test_a_paid_shortfall_is_usage_and_burns_the_lot_that_paid() -> None:
    log = granted(FULL)
    held(log, "r1")
    log.command(CREDIT, "acct", settle(log, "r1", 5_000))
    owed = log.credit("acct").owed_nusd
    log.command(CREDIT, "acct", c.Grant(at=log.at, lot_id="new", kind="purchased", amount_nusd=owed + 7))
    row = totals(log)
    assert (row["settled_nusd"], row["posted_nusd"], row["owed_nusd"]) == (FULL + owed, 7, 0)
    assert replayed_rows(PROJECTION, CREDIT_LOT, log.events)[1]["burnt_nusd"] == owed


def test_release_and_expiry_free_everything() -> None:
    log = granted(10**6)
    held(log, "r1")
    held(log, "r2")
    log.command(CREDIT, "acct", c.Release(at=log.at, reservation_id="r1", reason="provider_failed"))
    log.at += timedelta(hours=1)
    log.command(CREDIT, "acct", c.ExpireReservation(at=log.at, reservation_id="r2"))
    row = totals(log)
    assert (row["held_nusd"], row["open_reservations"], row["settled_nusd"]) == (0, 0, 0)


def test_an_expired_lot_is_taken_back_with_what_is_freed_later() -> None:
    log = granted(10**6)
    log.command(
        CREDIT,
        "acct",
        c.Grant(at=log.at, lot_id="promo", kind="promo", amount_nusd=FULL, expires_at=log.at + timedelta(seconds=60)),
    )
    held(log, "r1")
    log.at += timedelta(seconds=90)
    log.command(CREDIT, "acct", c.ExpireLot(at=log.at, lot_id="promo"))
    promo = replayed_rows(PROJECTION, CREDIT_LOT, log.events)[1]
    assert (promo["is_taken_back"], promo["expired_nusd"]) == (True, 0)
    log.command(CREDIT, "acct", c.Release(at=log.at, reservation_id="r1", reason="x"))
    assert totals(log)["expired_nusd"] == FULL
