"""A key's spending limit per day, week, month (UTC) or in total; a charge belongs to the window of its reserve."""

from datetime import UTC, datetime

import pytest

from domain.credit.decider import CREDIT
from domain.credit.events import ReservationExtended, Reserved
from domain.event import Command
from domain.pricing.quote import Quote
from domain.window import Window
from tests.domain.credit_words import (
    DAY,
    NOW,
    SECOND,
    exactly,
    expire,
    extend,
    grant,
    hold,
    per,
    release,
    reserve,
    settle,
    spent_by,
    tokens,
)
from tests.domain.given import given

RICH = grant("a", 10_000)

RESETS = [
    ("daily", datetime(2026, 11, 26, tzinfo=UTC)),
    ("weekly", datetime(2026, 11, 30, tzinfo=UTC)),
    ("monthly", datetime(2026, 12, 1, tzinfo=UTC)),
]


@pytest.mark.parametrize(("window", "resets_at"), RESETS)
def test_a_window_is_full_until_it_resets(window: Window, resets_at: datetime) -> None:
    limit = per(window, 100)
    story = given(CREDIT, RICH, hold("r1", 100, key_limit=limit))
    story.when(hold("r2", 1, key_limit=limit, at=resets_at - SECOND)).then_refused(
        "key_limit_exceeded", window=window, resets_at=resets_at.isoformat()
    )
    story.when(hold("r2", 100, key_limit=limit, at=resets_at)).then(Reserved)


def test_the_total_never_resets() -> None:
    limit = per("total", 100)
    story = given(CREDIT, RICH, hold("r1", 100, key_limit=limit))
    story.when(hold("r2", 1, key_limit=limit, at=NOW + 4000 * DAY)).then_refused(
        "key_limit_exceeded", window="total", resets_at=None
    )


def test_the_month_after_december_is_january() -> None:
    december = datetime(2026, 12, 31, 23, 59, tzinfo=UTC)
    story = given(CREDIT, RICH).when(hold("r", 101, at=december, key_limit=per("monthly", 100)))
    story.then_refused("key_limit_exceeded", resets_at="2027-01-01T00:00:00+00:00")


def test_open_reservations_count_and_what_they_free_counts_no_more() -> None:
    limit = per("daily", 100)
    story = given(CREDIT, RICH, hold("r1", 100, key_limit=limit)).and_then(settle("r1", 30))
    assert spent_by(story.state, "daily") == 30
    story.when(hold("r2", 71, key_limit=limit)).then_refused("key_limit_exceeded")
    story.when(hold("r2", 70, key_limit=limit)).then(Reserved)


@pytest.mark.parametrize("end", [release("r1"), expire("r1", at=NOW + 1500 * SECOND)])
def test_a_reservation_that_ends_without_a_charge_counts_nothing(end: Command) -> None:
    story = given(CREDIT, RICH, hold("r1", 100, key_limit=per("daily", 100))).and_then(end)
    assert spent_by(story.state, "daily") == 0


def test_the_clamp_respects_the_room_in_the_window() -> None:
    story = given(CREDIT, RICH).when(reserve("r", tokens(500, fixed_nusd=10), key_limit=per("daily", 100)))
    assert (story.then(Reserved).granted_tokens, story.state.held_nusd) == (90, 100)


def test_a_window_too_full_for_16_tokens_is_exceeded_and_not_insufficient_credit() -> None:
    story = given(CREDIT, RICH).when(reserve("r", tokens(500), key_limit=per("daily", 15)))
    story.then_refused("key_limit_exceeded", window="daily")


def test_an_empty_account_is_insufficient_credit_although_the_key_has_a_limit() -> None:
    story = given(CREDIT, grant("a", 15)).when(reserve("r", tokens(500), key_limit=per("daily", 100)))
    story.then_refused("insufficient_credits", affordable_tokens=15)


def test_a_charge_belongs_to_the_window_of_its_reserve() -> None:
    limit, midnight = per("daily", 100), datetime(2026, 11, 26, tzinfo=UTC)
    story = given(CREDIT, RICH, hold("r1", 100, key_limit=limit, at=midnight - SECOND))
    story = story.and_then(hold("r2", 40, key_limit=limit, at=midnight)).and_then(settle("r1", 10, at=midnight))
    assert spent_by(story.state, "daily", midnight) == 40
    assert spent_by(story.state, "weekly", midnight) == 50


def test_an_extension_belongs_to_the_window_of_its_reserve() -> None:
    limit, midnight = per("daily", 100), datetime(2026, 11, 26, tzinfo=UTC)
    story = given(CREDIT, RICH, hold("r", 90, key_limit=limit, at=midnight - SECOND))
    story.when(extend("r", 110, key_limit=limit, at=midnight)).then_refused("extension_unaffordable")
    story = story.when(extend("r", 100, key_limit=limit, at=midnight))
    story.then(ReservationExtended)
    assert spent_by(story.state, "daily", midnight) == 0


def test_an_excess_counts_too() -> None:
    story = given(CREDIT, RICH, hold("r", 100, key_limit=per("daily", 100))).and_then(settle("r", 130))
    assert spent_by(story.state, "daily") == 130


def test_a_free_request_passes_also_when_an_excess_went_over_the_limit() -> None:
    limit = per("daily", 100)
    story = given(CREDIT, RICH, hold("r", 100, key_limit=limit), settle("r", 130))
    story.when(reserve("free", Quote(0, 0, 50), key_limit=limit)).then(Reserved)
    story.when(hold("paid", 1, key_limit=limit)).then_refused("key_limit_exceeded")


def test_a_limit_whose_window_changes_counts_what_was_spent_before() -> None:
    story = given(CREDIT, RICH, hold("r1", 60, key_limit=per("daily", 100)))
    story.when(hold("r2", 41, key_limit=per("monthly", 100))).then_refused("key_limit_exceeded", window="monthly")


def test_keys_have_their_own_windows() -> None:
    limit = per("total", 100)
    story = given(CREDIT, RICH, hold("r1", 100, key_id="k1", key_limit=limit))
    story.when(hold("r2", 100, key_id="k2", key_limit=limit)).then(Reserved)


def test_a_key_without_a_limit_keeps_no_totals() -> None:
    assert given(CREDIT, RICH, hold("r", 60)).state.key_spend == {}


def test_a_key_that_lost_its_limit_is_forgotten() -> None:
    assert given(CREDIT, RICH, hold("r1", 60, key_limit=per("daily", 100)), hold("r2", 1)).state.key_spend == {}


def test_what_was_reserved_before_the_key_was_forgotten_makes_no_room_later() -> None:
    limit = per("daily", 100)
    story = given(CREDIT, RICH, hold("r1", 90, key_limit=limit), hold("r2", 1), hold("r3", 5, key_limit=limit))
    story = story.and_then(settle("r1", 30))
    assert spent_by(story.state, "daily") == 5


def test_a_limit_of_zero_lets_only_free_requests_pass() -> None:
    story = given(CREDIT, RICH)
    story.when(hold("r", 1, key_limit=per("total", 0))).then_refused("key_limit_exceeded")
    story.when(reserve("r", exactly(0), key_limit=per("total", 0))).then(Reserved)
