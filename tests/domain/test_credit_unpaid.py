"""Work that a provider did and nobody paid is written down beside the end of its reservation, and bounded."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.credit.commands import Settle
from domain.credit.decider import CREDIT
from domain.credit.events import LotExpired, Released, Reserved, Settled, WorkUnpaid
from domain.credit.unpaid import WINDOW_DAYS, UnpaidLimit, sum_nusd
from domain.event import Event
from domain.proof.money import MoneyWalk
from tests.domain.credit_words import (
    DAY,
    NOW,
    SECOND,
    expire,
    expire_lot,
    extend,
    grant,
    hold,
    release,
    settle,
    unpaid,
)
from tests.domain.given import Story, given

RICH = grant("a", 10**6)
HELD = given(CREDIT, RICH, hold("r", 50))
FLAT_100 = UnpaidLimit(100, 0)


def left_unpaid(amount_nusd: int, *, at: datetime = NOW, name: str = "r") -> list[Event]:
    """By a request that held just so much."""
    held = given(CREDIT, RICH).and_then(hold(name, amount_nusd, at=at))
    return [*held.events, *held.when(release(name, at=at, unpaid=unpaid(amount_nusd))).events]


def after(*histories: list[Event]) -> Story:
    """An account with credit that went through them."""
    state = given(CREDIT, RICH).state
    for events in histories:
        state = CREDIT.fold(state, events)
    return Story(CREDIT, state)


# ---- beside the end of a reservation


def test_a_release_says_what_the_provider_presumably_charges() -> None:
    _, work = HELD.when(release("r", unpaid=unpaid(30, "timed_out"))).then(Released, WorkUnpaid)
    assert (work.reservation_id, work.presumed_nusd, work.cause) == ("r", 30, "timed_out")


def test_a_settle_says_what_it_charges_beyond_the_settled() -> None:
    story = HELD.when(settle("r", 20, unpaid=unpaid(30)))
    settled, work = story.then(Settled, WorkUnpaid)
    assert (settled.paid_nusd, work.presumed_nusd, work.cause) == (20, 30, "abandoned")


@pytest.mark.parametrize(("charge_nusd", "left_nusd"), [(0, 50), (20, 30), (49, 1)])
def test_the_paid_and_the_unpaid_are_at_most_the_reservation(charge_nusd: int, left_nusd: int) -> None:
    _, work = HELD.when(settle("r", charge_nusd, unpaid=unpaid(10**9))).then(Settled, WorkUnpaid)
    assert work.presumed_nusd == left_nusd


@pytest.mark.parametrize("charge_nusd", [50, 51, 10**7])
def test_where_all_of_the_reservation_was_paid_nothing_is_unpaid(charge_nusd: int) -> None:
    events = HELD.when(settle("r", charge_nusd, unpaid=unpaid(10**9))).events
    assert not any(isinstance(event, WorkUnpaid) for event in events)


def test_of_a_free_model_nothing_is_unpaid() -> None:
    given(CREDIT, hold("free", 0)).when(release("free", unpaid=unpaid(30))).then(Released)


def test_what_an_extension_added_counts() -> None:
    _, work = HELD.and_then(extend("r", 80)).when(release("r", unpaid=unpaid(10**9))).then(Released, WorkUnpaid)
    assert work.presumed_nusd == 80


def test_it_stands_right_behind_the_end_and_ahead_of_what_follows_from_it() -> None:
    lot = grant("b", 50, "promo", expires_at=NOW + SECOND)
    story = given(CREDIT, lot, hold("r", 50), expire_lot("b", at=NOW + DAY))
    story.when(release("r", at=NOW + DAY, unpaid=unpaid(50))).then(Released, WorkUnpaid, LotExpired)


def test_a_late_settle_has_nothing_left_that_could_be_unpaid() -> None:
    late = NOW + timedelta(seconds=2_000)
    expired = HELD.and_then(expire("r", at=late))
    command: Settle = settle("r", 20, at=late, late=hold("r2", 1, at=late), unpaid=unpaid(30))
    expired.when(command).then(Reserved, Settled)


# ---- the limit


def test_up_to_the_limit_requests_are_let() -> None:
    after(left_unpaid(100)).when(hold("next", 1, unpaid_limit=FLAT_100)).then(Reserved)


def test_beyond_the_limit_they_are_refused_before_anything_is_held() -> None:
    story = after(left_unpaid(60), left_unpaid(41, name="s")).when(hold("next", 1, unpaid_limit=FLAT_100))
    story.then_refused("unfinished_work_limit", unpaid_usd="0.000000101", limit_usd="0.0000001")


def test_without_a_limit_they_are_let() -> None:
    after(left_unpaid(10**6)).when(hold("next", 1)).then(Reserved)


def test_without_unpaid_work_a_limit_of_nothing_lets_requests_pass() -> None:
    after().when(hold("next", 1, unpaid_limit=UnpaidLimit(0, 0))).then(Reserved)


def test_a_share_of_what_was_settled_is_let_where_it_is_more() -> None:
    """A tenth of 2,000 nUSD is 200, a nano-dollar less is 199."""
    for settled_nusd, is_let in ((2_000, True), (1_999, False)):
        paying = given(CREDIT, RICH, hold("p", settled_nusd), settle("p", settled_nusd), hold("r", 200))
        story = paying.and_then(release("r", unpaid=unpaid(200)))
        refusal = story.when(hold("next", 1, unpaid_limit=UnpaidLimit(100, 100_000))).refusal
        assert (refusal is None) == is_let


def test_what_nobody_has_paid_yet_is_no_settled_amount() -> None:
    owing = given(CREDIT, grant("a", 100), hold("p", 100), settle("p", 5_000), grant("b", 10**6, "promo"))
    story = owing.and_then(hold("r", 101)).and_then(release("r", unpaid=unpaid(101)))
    story.when(hold("next", 1, unpaid_limit=UnpaidLimit(100, 100_000))).then_refused("unfinished_work_limit")


def test_it_is_let_again_on_the_day_after_which_too_little_counts() -> None:
    days = [left_unpaid(60, at=NOW + n * DAY, name=f"r{n}") for n in range(3)]
    story = after(*days)
    last = NOW + 2 * DAY
    midnight = datetime(2026, 11, 27, tzinfo=UTC) + WINDOW_DAYS * DAY
    story.when(hold("next", 1, at=last, unpaid_limit=FLAT_100)).then_refused(
        "unfinished_work_limit",
        resets_at=midnight.isoformat(),
        retry_after_s=int((midnight - last).total_seconds()),
    )
    story.when(hold("next", 1, at=midnight - SECOND, unpaid_limit=FLAT_100)).then_refused("unfinished_work_limit")
    story.when(hold("next", 1, at=midnight, unpaid_limit=FLAT_100)).then(Reserved)


def test_seconds_to_wait_are_rounded_up() -> None:
    at = datetime(2026, 11, 25, 23, 59, 59, 1, tzinfo=UTC)
    story = after(left_unpaid(101, at=at)).when(hold("next", 1, at=at, unpaid_limit=FLAT_100))
    story.then_refused("unfinished_work_limit", retry_after_s=WINDOW_DAYS * 86_400 + 1)


def test_a_settle_of_what_expired_is_let_however_much_was_left_unpaid() -> None:
    late = NOW + timedelta(seconds=2_000)
    story = HELD.and_then(expire("r", at=late)).and_then(hold("s", 500, at=late))
    story = story.and_then(release("s", at=late, unpaid=unpaid(500)))
    again = hold("r2", 1, at=late, unpaid_limit=FLAT_100)
    story.when(settle("r", 20, at=late, late=again)).then(Reserved, Settled)


# ---- what is kept of it


def test_a_sum_a_day_and_thirty_one_at_most() -> None:
    story = given(CREDIT, RICH)
    for n in range(100):
        at = NOW + n * DAY
        for name in ("a", "b"):
            story = story.and_then(hold(f"{name}{n}", 10, at=at))
            story = story.and_then(settle(f"{name}{n}", 3, at=at, unpaid=unpaid(2)))
    unpaid_sums, settled_sums = story.state.unpaid, story.state.settled
    assert [one.amount_nusd for one in unpaid_sums] == [4] * (WINDOW_DAYS + 1)
    assert [one.amount_nusd for one in settled_sums] == [6] * (WINDOW_DAYS + 1)
    assert unpaid_sums[-1].day - unpaid_sums[0].day == timedelta(days=WINDOW_DAYS)


def test_a_day_counts_for_thirty_more() -> None:
    state = after(left_unpaid(7)).state
    counted = [sum_nusd(state.unpaid, NOW.date() + timedelta(days=n)) for n in (0, 1, 30, 31)]
    assert counted == [7, 7, 7, 0]


# ---- verify


def found_in(*events: Event) -> list[str]:
    walk = MoneyWalk()
    faults = [walk.walk(number, "credit-a", event) for number, event in enumerate(events, 1)]
    return [fault.message for fault in faults if fault is not None]


def held() -> list[Event]:
    granted = given(CREDIT).when(RICH).events
    return [*granted, *given(CREDIT, RICH).when(hold("r", 50)).events]


def work(presumed_nusd: int, name: str = "r") -> WorkUnpaid:
    return WorkUnpaid(at=NOW, reservation_id=name, presumed_nusd=presumed_nusd, cause="abandoned")


def test_verify_is_content_with_what_is_decided() -> None:
    for command in (release("r", unpaid=unpaid(50)), settle("r", 20, unpaid=unpaid(30))):
        assert found_in(*held(), *HELD.when(command).events) == []


def test_verify_finds_unpaid_work_of_what_did_not_just_end() -> None:
    said = "work of r was unpaid, but the event before did not settle or release it"
    released = HELD.when(release("r")).events
    expired = HELD.when(expire("r", at=NOW + DAY)).events
    assert found_in(*held(), work(1)) == [said]
    assert found_in(*held(), *expired, work(1)) == [said]
    assert found_in(*held(), *released, work(1), work(1)) == [said]
    assert found_in(*held(), *released, *given(CREDIT).when(grant("b", 1)).events, work(1)) == [said]
    assert found_in(*held(), *released, work(1, "s")) == [said.replace("of r", "of s")]


def test_verify_finds_more_unpaid_work_than_was_left_of_the_reservation() -> None:
    settled = HELD.when(settle("r", 20)).events
    assert found_in(*held(), *settled, work(31)) == ["31 nUSD of work were unpaid, of 30 that could be"]
    assert found_in(*held(), *settled, work(0)) == ["0 nUSD of work were unpaid, of 30 that could be"]
