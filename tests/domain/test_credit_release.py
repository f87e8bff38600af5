"""Releasing, expiring, extending, recording attempts: everything that is not a charge (P3,
docs/reference/rules.md#lots-and-burn-order)."""

import pytest

from domain.credit.decider import CREDIT
from domain.credit.events import (
    AttemptRecorded,
    LotExpired,
    Released,
    ReservationExpired,
    ReservationExtended,
    Settled,
)
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
    record_attempt,
    release,
    remaining,
    settle,
)
from tests.domain.given import given

DUE = NOW + 1500 * SECOND


def test_a_release_frees_everything() -> None:
    story = given(CREDIT, grant("a", 100), hold("r", 50)).when(release("r"))
    released = story.then(Released)
    assert (released.reserved_nusd, released.reason) == (50, "provider_failed")
    assert (story.state.available_nusd(NOW), story.state.posted_nusd, story.state.reservations) == (100, 100, {})


def test_a_reservation_expires_when_it_is_due_and_charges_nothing() -> None:
    story = given(CREDIT, grant("a", 100), hold("r", 50)).when(expire("r", at=DUE))
    expired = story.then(ReservationExpired)
    assert (expired.rule, expired.reserved_nusd, expired.provider) == ("expire-release-v1", 50, "acme")
    assert (story.state.available_nusd(NOW), story.state.posted_nusd) == (100, 100)


def test_a_reservation_does_not_expire_before_it_is_due() -> None:
    story = given(CREDIT, grant("a", 100), hold("r", 50)).when(expire("r", at=DUE - SECOND))
    story.then_refused("reservation_not_due", reservation_id="r")


def test_expiring_what_has_ended_does_nothing() -> None:
    story = given(CREDIT, grant("a", 100), hold("r", 50), settle("r", 10)).when(expire("r", at=DUE))
    story.then_nothing()


def test_what_was_expired_cannot_be_released() -> None:
    story = given(CREDIT, grant("a", 100), hold("r", 50), expire("r", at=DUE)).when(release("r", at=DUE))
    story.then_refused("reservation_not_open", because="expired")


def test_expired_reservations_are_remembered_for_a_day_only() -> None:
    story = given(CREDIT, grant("a", 100), hold("r1", 1), hold("r2", 1), expire("r1", at=DUE))
    story = story.and_then(expire("r2", at=DUE + DAY + SECOND))
    assert list(story.state.expired) == ["r2"]


def test_an_attempt_is_recorded_and_moves_no_money() -> None:
    story = given(CREDIT, grant("a", 100), hold("r", 50))
    recorded = story.when(record_attempt("r"))
    assert recorded.then(AttemptRecorded).attempt.error_class == "timeout"
    assert recorded.state == story.state


def test_an_attempt_needs_an_open_reservation() -> None:
    given(CREDIT).when(record_attempt("r")).then_refused("reservation_not_open", reservation_id="r")


def test_a_dearer_fallback_extends_the_reservation() -> None:
    story = given(CREDIT, grant("a", 60, "promo"), grant("b", 100), hold("r", 50)).when(extend("r", 80))
    extended = story.then(ReservationExtended)
    assert (extended.added_nusd, amounts(extended.holds)) == (30, [("a", 10), ("b", 20)])
    assert amounts(story.state.reservations["r"].holds) == [("a", 60), ("b", 20)]
    assert story.state.available_nusd(NOW) == 80


def test_an_extension_that_does_not_fit_is_refused_as_a_whole() -> None:
    story = given(CREDIT, grant("a", 100), hold("r", 50)).when(extend("r", 101))
    story.then_refused("extension_unaffordable", reservation_id="r")
    assert story.state.available_nusd(NOW) == 50


def test_an_extension_respects_the_limit_of_its_key() -> None:
    limit = per("daily", 60)
    story = given(CREDIT, grant("a", 100), hold("r", 50, key_limit=limit))
    story.when(extend("r", 61, key_limit=limit)).then_refused("extension_unaffordable")
    story.when(extend("r", 60, key_limit=limit)).then(ReservationExtended)


def test_an_extension_respects_the_burnable_kinds() -> None:
    story = given(CREDIT, grant("promo", 100, "promo"), grant("bought", 60), hold("r", 50, burnable=("purchased",)))
    story.when(extend("r", 61, burnable=("purchased",))).then_refused("extension_unaffordable")
    held = story.when(extend("r", 60, burnable=("purchased",))).then(ReservationExtended).holds
    assert amounts(held) == [("bought", 10)]


@pytest.mark.parametrize("amount_nusd", [50, 20])
def test_a_fallback_that_fits_needs_no_extension(amount_nusd: int) -> None:
    given(CREDIT, grant("a", 100), hold("r", 50)).when(extend("r", amount_nusd)).then_nothing()


def test_only_an_open_reservation_is_extended() -> None:
    given(CREDIT, grant("a", 100)).when(extend("r", 1)).then_refused("reservation_not_open")


def test_a_lot_expires_when_it_is_due_without_its_held_part() -> None:
    story = given(CREDIT, grant("a", 100, expires_at=NOW + DAY), hold("r", 30))
    story.when(expire_lot("a", at=NOW + DAY - SECOND)).then_refused("lot_not_due", lot_id="a")
    story = story.when(expire_lot("a", at=NOW + DAY))
    assert story.then(LotExpired).amount_nusd == 70
    assert (remaining(story.state), story.state.available_nusd(NOW + DAY)) == ({"a": 30}, 0)


def test_what_is_freed_later_on_an_expired_lot_goes_the_same_way() -> None:
    story = given(CREDIT, grant("a", 100, expires_at=NOW + DAY), hold("r1", 30), hold("r2", 20))
    story = story.and_then(expire_lot("a", at=NOW + DAY)).when(release("r1", at=NOW + DAY))
    _, lapsed = story.then(Released, LotExpired)
    assert (lapsed.amount_nusd, remaining(story.state)) == (30, {"a": 20})
    story = story.when(expire("r2", at=NOW + DAY))
    _, lapsed = story.then(ReservationExpired, LotExpired)
    assert (lapsed.amount_nusd, story.state.lots, story.state.posted_nusd) == (20, {}, 0)


def test_a_lot_that_is_wholly_held_expires_with_nothing_to_take_yet() -> None:
    story = given(CREDIT, grant("a", 100, expires_at=NOW + DAY), hold("r", 100)).when(expire_lot("a", at=NOW + DAY))
    assert story.then(LotExpired).amount_nusd == 0
    story.when(release("r", at=NOW + DAY)).then(Released, LotExpired)


def test_a_release_on_a_lot_past_its_expiry_waits_for_the_event() -> None:
    story = given(CREDIT, grant("a", 100, expires_at=NOW + DAY), hold("r", 30)).when(release("r", at=NOW + DAY))
    story.then(Released)
    assert story.state.available_nusd(NOW + DAY) == 0
    assert story.when(expire_lot("a", at=NOW + DAY)).then(LotExpired).amount_nusd == 100


def test_a_lot_expires_once_and_a_lot_without_expiry_never() -> None:
    story = given(CREDIT, grant("a", 9, expires_at=NOW + DAY), grant("b", 9), hold("r", 1))
    story = story.and_then(expire_lot("a", at=NOW + DAY))
    story.when(expire_lot("a", at=NOW + DAY)).then_nothing()
    story.when(expire_lot("b", at=NOW + 9999 * DAY)).then_refused("lot_not_due")
    story.when(expire_lot("unknown", at=NOW)).then_nothing()


def test_a_lot_that_was_taken_back_takes_no_new_holds() -> None:
    story = given(CREDIT, grant("a", 100, "promo", expires_at=NOW + DAY), grant("b", 50), hold("r1", 30))
    story = story.and_then(expire_lot("a", at=NOW + DAY)).and_then(hold("r2", 10, at=NOW + DAY))
    assert amounts(story.state.reservations["r2"].holds) == [("b", 10)]
    story.when(settle("r1", 30, at=NOW + DAY)).then(Settled)
