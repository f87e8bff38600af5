"""Reserving: the one decision that says yes (P2): holds on named lots, the clamp, the refusals."""

import pytest
from msgspec.structs import asdict

from domain.credit.decider import CREDIT
from domain.credit.events import Reserved
from domain.pricing.quote import Quote
from tests.domain.credit_words import DAY, NOW, SECOND, amounts, exactly, grant, hold, release, reserve, tokens
from tests.domain.given import given


def test_a_reservation_holds_its_amount_over_several_lots_in_burn_order() -> None:
    story = given(CREDIT, grant("bought", 100), grant("promo", 30, "promo")).when(hold("r", 50))
    reserved = story.then(Reserved)
    assert amounts(reserved.holds) == [("promo", 30), ("bought", 20)]
    assert (story.state.posted_nusd, story.state.held_nusd, story.state.available_nusd(NOW)) == (130, 50, 80)


def test_held_credit_is_not_available_to_the_next() -> None:
    story = given(CREDIT, grant("a", 100), hold("r1", 60))
    story.when(hold("r2", 41)).then_refused("insufficient_credits")
    story.when(hold("r2", 40)).then(Reserved)


def test_the_worst_case_is_granted_whole_when_it_fits_exactly() -> None:
    reserved = given(CREDIT, grant("a", 100)).when(reserve("r", tokens(90, fixed_nusd=10))).then(Reserved)
    assert (reserved.granted_tokens, reserved.amount_nusd) == (90, 100)


def test_a_request_is_clamped_to_what_the_credit_affords() -> None:
    reserved = given(CREDIT, grant("a", 100)).when(reserve("r", tokens(500, fixed_nusd=10))).then(Reserved)
    assert (reserved.granted_tokens, reserved.amount_nusd) == (90, 100)


def test_the_clamp_counts_every_choice() -> None:
    reserved = given(CREDIT, grant("a", 100)).when(reserve("r", tokens(500, choices=3))).then(Reserved)
    assert (reserved.granted_tokens, reserved.amount_nusd) == (33, 99)


def test_the_clamp_holds_only_what_the_granted_tokens_cost() -> None:
    story = given(CREDIT, grant("a", 50, "promo"), grant("b", 50)).when(reserve("r", tokens(500, choices=30)))
    assert story.refusal is not None  # 16 tokens x 30 choices do not fit
    reserved = given(CREDIT, grant("a", 50, "promo"), grant("b", 50)).when(reserve("r", tokens(500, choices=6)))
    assert amounts(reserved.then(Reserved).holds) == [("a", 50), ("b", 46)]


@pytest.mark.parametrize(("requested", "least"), [(500, 16), (17, 16), (16, 16), (5, 5), (1, 1)])
def test_the_clamp_never_goes_below_16_tokens_or_what_was_requested(requested: int, least: int) -> None:
    quote = tokens(requested, fixed_nusd=10)
    given(CREDIT, grant("a", 10 + least)).when(reserve("r", quote)).then(Reserved)
    given(CREDIT, grant("a", 10 + least - 1)).when(reserve("r", quote)).then_refused(
        "insufficient_credits", requested_tokens=requested, affordable_tokens=least - 1
    )


@pytest.mark.parametrize("available_nusd", [9, 1])
def test_a_refusal_says_zero_tokens_when_not_even_the_prompt_is_affordable(available_nusd: int) -> None:
    story = given(CREDIT, grant("a", available_nusd)).when(reserve("r", tokens(500, fixed_nusd=10)))
    story.then_refused("insufficient_credits", requested_tokens=500, affordable_tokens=0)


def test_an_account_without_any_lot_is_refused() -> None:
    given(CREDIT).when(reserve("r", tokens(500))).then_refused(
        "insufficient_credits", requested_tokens=500, affordable_tokens=0
    )


def test_a_fraction_of_a_nano_dollar_is_held_whole() -> None:
    reserved = given(CREDIT, grant("a", 10)).when(reserve("r", Quote(1, 0, 100))).then(Reserved)
    assert (reserved.amount_nusd, reserved.granted_tokens) == (1, 100)


def test_a_free_request_holds_nothing_and_needs_no_credit() -> None:
    story = given(CREDIT).when(reserve("r", Quote(0, 0, 4096)))
    reserved = story.then(Reserved)
    assert (reserved.amount_nusd, reserved.holds, reserved.granted_tokens) == (0, (), 4096)
    assert list(story.state.reservations) == ["r"]


def test_a_lot_past_its_expiry_is_ignored_before_its_event() -> None:
    story = given(CREDIT, grant("old", 100, "promo", expires_at=NOW + DAY), grant("new", 100))
    assert amounts(story.when(hold("r", 50, at=NOW + DAY - SECOND)).then(Reserved).holds) == [("old", 50)]
    assert amounts(story.when(hold("r", 50, at=NOW + DAY)).then(Reserved).holds) == [("new", 50)]
    story.when(hold("r", 101, at=NOW + DAY)).then_refused("insufficient_credits")


def test_only_burnable_kinds_are_held() -> None:
    story = given(CREDIT, grant("promo", 100, "promo"), grant("bought", 30))
    assert amounts(story.when(hold("r", 30, burnable=("purchased",))).then(Reserved).holds) == [("bought", 30)]
    story.when(hold("r", 31, burnable=("purchased",))).then_refused("insufficient_credits")


def test_the_clamp_sees_only_burnable_kinds() -> None:
    story = given(CREDIT, grant("promo", 100, "promo"), grant("bought", 30))
    assert story.when(reserve("r", tokens(500), burnable=("purchased",))).then(Reserved).granted_tokens == 30


def test_an_open_reservation_is_not_reserved_again() -> None:
    story = given(CREDIT, grant("a", 100), hold("r", 10)).when(hold("r", 10))
    story.then_refused("reservation_exists", reservation_id="r")


def test_a_reservation_carries_what_the_read_models_need() -> None:
    command = reserve("r", exactly(5), streamed=True, app="shop")
    reserved = given(CREDIT, grant("a", 100)).when(command).then(Reserved)
    carried = {name: value for name, value in asdict(command).items() if name in reserved.__struct_fields__}
    assert set(carried) == set(command.__struct_fields__) - {"key_limit", "unpaid_limit"}
    assert {name: getattr(reserved, name) for name in carried} == carried


def test_time_never_runs_backwards_in_a_stream() -> None:
    story = given(CREDIT, grant("a", 100, expires_at=NOW + DAY)).and_then(hold("r1", 1, at=NOW + DAY - SECOND))
    assert story.when(hold("r2", 1, at=NOW)).then(Reserved).at == NOW + DAY - SECOND
    assert story.when(release("r1", at=NOW)).events[0].at == NOW + DAY - SECOND


def test_a_clock_set_back_does_not_revive_an_expired_lot() -> None:
    story = given(CREDIT, grant("a", 100, expires_at=NOW + DAY), grant("b", 1, at=NOW + DAY))
    story.when(hold("r", 50, at=NOW)).then_refused("insufficient_credits")
