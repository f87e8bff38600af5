"""Granting: lots come into being, in burn order, within bounds (docs/reference/rules.md#lots-and-burn-order)."""

from datetime import timedelta

import pytest

from domain.credit.decider import CREDIT
from domain.credit.events import Granted, Reserved
from domain.credit.lot import MAX_LIVE_LOTS
from domain.lot_kind import LotKind
from domain.money import MAX_NUSD
from tests.domain.credit_words import DAY, NOW, SECOND, amounts, expire_lot, grant, hold, remaining, settle
from tests.domain.given import given


def test_a_grant_adds_to_posted_and_available() -> None:
    story = given(CREDIT).when(grant("a", 100, "promo", source="coupon-X", reason=b"sealed"))
    granted = story.then(Granted)
    assert (granted.amount_nusd, granted.source, granted.reason) == (100, "coupon-X", b"sealed")
    assert (story.state.posted_nusd, story.state.available_nusd(NOW)) == (100, 100)


@pytest.mark.parametrize(("kind", "priority"), [("allowance", 10), ("trial", 20), ("promo", 30), ("purchased", 40)])
def test_a_lot_has_the_priority_of_its_kind(kind: LotKind, priority: int) -> None:
    assert given(CREDIT).when(grant("a", 1, kind)).then(Granted).priority == priority


def test_a_priority_of_its_own_overrules_the_kind() -> None:
    story = given(CREDIT, grant("usual", 10, "allowance"), grant("first", 10, "purchased", priority=5))
    assert amounts(story.when(hold("r", 15)).then(Reserved).holds) == [("first", 10), ("usual", 5)]


def test_lots_burn_by_priority_then_earliest_expiry_then_never_expiring_then_order_of_grants() -> None:
    story = given(
        CREDIT,
        grant("bought", 1, "purchased"),
        grant("promo-never-1", 1, "promo"),
        grant("promo-late", 1, "promo", expires_at=NOW + 9 * DAY),
        grant("promo-never-2", 1, "promo"),
        grant("promo-soon", 1, "promo", expires_at=NOW + DAY),
        grant("trial", 1, "trial"),
        grant("allowance", 1, "allowance"),
    )
    held = story.when(hold("r", 7)).then(Reserved).holds
    assert [part.lot_id for part in held] == [
        "allowance",
        "trial",
        "promo-soon",
        "promo-late",
        "promo-never-1",
        "promo-never-2",
        "bought",
    ]


@pytest.mark.parametrize("amount_nusd", [0, -1, MAX_NUSD + 1])
def test_a_grant_is_more_than_nothing_and_less_than_absurd(amount_nusd: int) -> None:
    given(CREDIT).when(grant("a", amount_nusd)).then_refused("invalid_amount", param="amount_usd")


def test_all_lots_together_stay_inside_a_bigint() -> None:
    given(CREDIT, grant("a", MAX_NUSD)).when(grant("b", 1)).then_refused("invalid_amount", param="amount_usd")


def test_a_lot_id_names_one_lot() -> None:
    story = given(CREDIT, grant("a", 100)).when(grant("a", 100))
    story.then_refused("lot_exists", lot_id="a")
    assert story.state.posted_nusd == sum(remaining(story.state).values()) == 100


@pytest.mark.parametrize("late_by", [0 * SECOND, SECOND])
def test_a_lot_is_not_born_expired(late_by: timedelta) -> None:
    given(CREDIT).when(grant("a", 1, expires_at=NOW - late_by)).then_refused("invalid_expiry", param="expires_at")


def test_live_lots_are_bounded_and_a_burnt_lot_makes_room() -> None:
    story = given(CREDIT, *(grant(f"lot-{n}", 1) for n in range(MAX_LIVE_LOTS)))
    story.when(grant("one-more", 1)).then_refused("too_many_lots", limit=MAX_LIVE_LOTS)
    story.and_then(hold("r", 1)).and_then(settle("r", 1)).when(grant("one-more", 1)).then(Granted)


def test_a_gone_lot_leaves_nothing_behind() -> None:
    story = given(CREDIT, grant("a", 5, expires_at=NOW + DAY)).and_then(expire_lot("a", at=NOW + DAY))
    assert (story.state.lots, story.state.posted_nusd) == ({}, 0)
