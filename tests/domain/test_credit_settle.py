"""Settling: burn what is held, free the rest, take an excess from available credit, owe nothing beyond
(docs/reference/rules.md#charges)."""

from typing import Any

import pytest

from domain.credit import commands as c
from domain.credit.decider import CREDIT
from domain.credit.events import LotExpired, Reserved, Settled, ShortfallRecorded
from domain.money import FUSD_PER_NUSD, MAX_NUSD
from tests.domain.credit_words import (
    DAY,
    NOW,
    SECOND,
    amounts,
    expire,
    expire_lot,
    extend,
    grant,
    hold,
    per,
    release,
    remaining,
    reserve,
    settle,
    tokens,
)
from tests.domain.given import Story, given

LATER = NOW + 1500 * SECOND


def test_below_the_reservation_the_first_holds_burn_and_the_rest_is_free() -> None:
    story = given(CREDIT, grant("promo", 30, "promo"), grant("bought", 100), hold("r", 50)).when(settle("r", 40))
    assert amounts(story.then(Settled).burnt) == [("promo", 30), ("bought", 10)]
    assert (story.state.posted_nusd, story.state.held_nusd, story.state.available_nusd(NOW)) == (90, 0, 90)


def test_equal_to_the_reservation_all_holds_burn() -> None:
    story = given(CREDIT, grant("a", 100), hold("r", 100)).when(settle("r", 100))
    assert (amounts(story.then(Settled).burnt), story.state.lots) == ([("a", 100)], {})


def test_an_excess_is_taken_from_available_credit() -> None:
    story = given(CREDIT, grant("a", 60, "promo"), grant("b", 100), hold("r", 50)).when(settle("r", 80))
    settled = story.then(Settled)
    assert (amounts(settled.burnt), settled.paid_nusd, settled.shortfall_nusd) == ([("a", 60), ("b", 20)], 80, 0)


def test_what_no_lot_covers_is_recorded_as_a_shortfall() -> None:
    story = given(CREDIT, grant("a", 100), hold("r", 50)).when(settle("r", 130))
    settled, shortfall = story.then(Settled, ShortfallRecorded)
    assert (settled.paid_nusd, settled.shortfall_nusd, shortfall.amount_nusd) == (100, 30, 30)
    assert story.state.available_nusd(NOW) == 0


def test_an_excess_leaves_alone_what_others_hold() -> None:
    story = given(CREDIT, grant("a", 100), hold("other", 40), hold("r", 50)).when(settle("r", 130))
    settled, _ = story.then(Settled, ShortfallRecorded)
    assert (settled.paid_nusd, story.state.held_nusd, story.state.posted_nusd) == (60, 40, 40)


def test_an_excess_ignores_lots_past_their_expiry() -> None:
    story = given(CREDIT, grant("old", 40, "promo", expires_at=NOW + DAY), grant("new", 100, "allowance"))
    story = story.and_then(hold("r", 50, at=NOW + DAY - SECOND)).when(settle("r", 120, at=NOW + DAY))
    settled, _ = story.then(Settled, ShortfallRecorded)
    assert amounts(settled.burnt) == [("new", 100)]


def test_an_excess_burns_only_the_kinds_that_the_reservation_might() -> None:
    story = given(CREDIT, grant("promo", 100, "promo"), grant("bought", 60))
    story = story.and_then(hold("r", 50, burnable=("purchased",))).when(settle("r", 100))
    settled, shortfall = story.then(Settled, ShortfallRecorded)
    assert (amounts(settled.burnt), shortfall.amount_nusd) == ([("bought", 60)], 40)
    assert remaining(story.state) == {"promo": 100}


def test_a_free_answer_charges_nothing() -> None:
    story = given(CREDIT, hold("r", 0)).when(settle("r", 0))
    assert (story.then(Settled).burnt, story.state.reservations) == ((), {})


def test_a_reservation_of_nothing_can_still_be_settled_above() -> None:
    story = given(CREDIT, grant("a", 10), hold("r", 0)).when(settle("r", 3))
    assert amounts(story.then(Settled).burnt) == [("a", 3)]


@pytest.mark.parametrize("charge_nusd", [-1, MAX_NUSD + 1])
def test_a_charge_is_never_a_credit_nor_absurd(charge_nusd: int) -> None:
    given(CREDIT, grant("a", 100), hold("r", 50)).when(settle("r", charge_nusd)).then_refused("invalid_amount")


def test_a_charge_burns_what_is_held_on_a_lot_past_its_expiry() -> None:
    story = given(CREDIT, grant("a", 100, expires_at=NOW + DAY), hold("r", 50))
    assert amounts(story.when(settle("r", 50, at=NOW + DAY)).then(Settled).burnt) == [("a", 50)]


def test_what_settling_frees_on_an_expired_lot_expires_at_once() -> None:
    story = given(CREDIT, grant("a", 100, expires_at=NOW + DAY), hold("r", 50)).and_then(expire_lot("a", at=NOW + DAY))
    story = story.when(settle("r", 20, at=NOW + DAY))
    _, lapsed = story.then(Settled, LotExpired)
    assert (lapsed.lot_id, lapsed.amount_nusd, story.state.lots, story.state.posted_nusd) == ("a", 30, {}, 0)


def test_holds_that_an_extension_added_burn_in_burn_order_too() -> None:
    story = given(CREDIT, grant("bought", 100), hold("r", 50), grant("promo", 30, "promo"), extend("r", 80))
    assert amounts(story.when(settle("r", 40)).then(Settled).burnt) == [("promo", 30), ("bought", 10)]


@pytest.mark.parametrize("end", [settle("r", 10), release("r")])
def test_a_reservation_ends_once(end: c.Settle | c.Release) -> None:
    story = given(CREDIT, grant("a", 100), hold("r", 50)).and_then(end)
    story.when(settle("r", 10)).then_refused("reservation_not_open", because="ended")
    story.when(release("r")).then_refused("reservation_not_open", because="ended")


def expired() -> Story:
    return given(CREDIT, grant("a", 100), reserve("r", tokens(500, fixed_nusd=10)), expire("r", at=LATER))


def late(**more: Any) -> c.Reserve:
    return reserve("again", tokens(500, fixed_nusd=10), at=LATER, **more)


def test_an_expired_reservation_is_not_settled_by_itself() -> None:
    expired().when(settle("r", 40, at=LATER)).then_refused("reservation_not_open", because="expired")


def test_a_late_settle_reserves_its_charge_anew_and_settles_in_one_decision() -> None:
    story = expired().when(settle("r", 40, at=LATER, late=late()))
    reserved, settled = story.then(Reserved, Settled)
    assert (reserved.reservation_id, reserved.replaces, reserved.amount_nusd) == (c.late_id("r"), "r", 40)
    assert reserved.quote.fixed_fusd == 40 * FUSD_PER_NUSD
    assert (settled.reservation_id, amounts(settled.burnt)) == (c.late_id("r"), [("a", 40)])
    assert (story.state.posted_nusd, story.state.held_nusd, story.state.reservations) == (60, 0, {})


def test_a_late_settle_is_charged_once() -> None:
    command = settle("r", 40, at=LATER, late=late())
    expired().and_then(command).when(command).then_refused("reservation_not_open")


def test_a_late_settle_is_refused_as_a_whole_if_its_charge_is_no_longer_affordable() -> None:
    story = expired().and_then(hold("other", 61, at=LATER)).when(settle("r", 40, at=LATER, late=late()))
    story.then_refused("insufficient_credits")


def test_a_late_settle_asks_for_its_charge_and_not_for_the_worst_case() -> None:
    story = expired().and_then(hold("other", 95, at=LATER)).when(settle("r", 4, at=LATER, late=late()))
    story.then(Reserved, Settled)


def test_a_late_settle_respects_the_limit_of_its_key() -> None:
    story = expired().when(settle("r", 40, at=LATER, late=late(key_limit=per("daily", 39))))
    story.then_refused("key_limit_exceeded")


def test_a_late_settle_respects_the_burnable_kinds() -> None:
    story = given(CREDIT, grant("promo", 100, "promo"), hold("r", 50), expire("r", at=LATER))
    command = settle("r", 40, at=LATER, late=late(burnable=("purchased",)))
    story.when(command).then_refused("insufficient_credits")


@pytest.mark.parametrize("another_expired_meanwhile", [False, True])
def test_a_settle_may_be_late_by_a_day_and_no_more(another_expired_meanwhile: bool) -> None:
    story = expired()
    if another_expired_meanwhile:
        story = story.and_then(hold("x", 1, at=LATER)).and_then(expire("x", at=LATER + DAY))
    story.when(settle("r", 40, at=LATER + DAY, late=late())).then(Reserved, Settled)
    story.when(settle("r", 40, at=LATER + DAY + SECOND, late=late())).then_refused("reservation_not_open")


def test_a_reservation_past_its_expiry_but_not_expired_yet_settles_as_usual() -> None:
    story = given(CREDIT, grant("a", 100), hold("r", 50)).when(settle("r", 40, at=LATER + DAY, late=late()))
    assert story.then(Settled).reservation_id == "r"
