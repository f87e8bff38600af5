"""What an answer cost beyond all credit is owed, and paid by the next lot that was bought."""

import pytest

from domain.credit.decider import CREDIT
from domain.credit.events import Granted, Settled, ShortfallPaid, ShortfallRecorded
from domain.credit.lot import Part
from domain.credit.retired import ShortfallRecordedV1
from domain.event import Event
from domain.lot_kind import LotKind
from domain.proof.money import MoneyWalk
from tests.domain.credit_words import NOW, amounts, grant, hold, remaining, settle
from tests.domain.given import Story, given


def owing(owed_nusd: int) -> Story:
    return given(CREDIT, grant("a", 100), hold("r", 50), settle("r", 100 + owed_nusd))


def found_in(*events: Event) -> list[str]:
    walk = MoneyWalk()
    faults = [walk.walk(number, "credit-a", event) for number, event in enumerate(events, 1)]
    return [fault.message for fault in faults if fault is not None]


def test_a_shortfall_is_owed() -> None:
    story = given(CREDIT, grant("a", 100), hold("r", 50)).when(settle("r", 130))
    _, shortfall = story.then(Settled, ShortfallRecorded)
    assert (shortfall.amount_nusd, shortfall.cause, shortfall.owed_nusd) == (30, "overage", 30)
    assert story.state.owed_nusd == 30


def test_the_next_purchased_grant_pays_it_in_the_same_decision() -> None:
    story = owing(30).when(grant("bought", 100))
    _, paid = story.then(Granted, ShortfallPaid)
    assert (amounts(paid.burnt), paid.owed_nusd) == ([("bought", 30)], 0)
    assert (story.state.owed_nusd, story.state.posted_nusd, remaining(story.state)) == (0, 70, {"bought": 70})
    assert story.state.available_nusd(NOW) == 70


def test_what_a_small_grant_does_not_pay_is_left_for_the_one_after_it() -> None:
    story = owing(30).and_then(grant("small", 20))
    assert (story.state.owed_nusd, story.state.lots) == (10, {})
    _, paid = story.when(grant("next", 20)).then(Granted, ShortfallPaid)
    assert (amounts(paid.burnt), paid.owed_nusd) == ([("next", 10)], 0)


@pytest.mark.parametrize("kind", ["allowance", "trial", "promo"])
def test_credit_that_was_not_bought_never_pays(kind: LotKind) -> None:
    story = owing(30).when(grant("given", 100, kind))
    story.then(Granted)
    assert (story.state.owed_nusd, story.state.available_nusd(NOW)) == (30, 100)


def test_who_owes_nothing_pays_nothing() -> None:
    owing(0).when(grant("bought", 100)).then(Granted)


def test_debts_of_several_answers_add_up() -> None:
    story = owing(30).and_then(hold("free", 0)).when(settle("free", 12))
    _, shortfall = story.then(Settled, ShortfallRecorded)
    assert (shortfall.owed_nusd, story.state.owed_nusd) == (42, 42)


def test_a_shortfall_of_version_1_is_never_charged() -> None:
    old = ShortfallRecordedV1(at=NOW, reservation_id="r", key_id="key", amount_nusd=30).upcast()
    assert (old.cause, old.amount_nusd, old.is_owed) == ("absorbed", 30, False)
    story = Story(CREDIT, CREDIT.fold(CREDIT.initial, [old])).when(grant("bought", 100))
    story.then(Granted)
    assert found_in(old, *story.events) == []


def test_verify_finds_a_payment_of_what_is_not_owed() -> None:
    granted = given(CREDIT).when(grant("bought", 100)).then(Granted)
    paid = ShortfallPaid(at=NOW, burnt=(Part("bought", 30),), owed_nusd=0)
    assert found_in(granted, paid) == ["30 nUSD of shortfalls were paid, 30 more than was owed"]


def test_verify_finds_a_payment_by_credit_that_was_not_bought() -> None:
    history: list[Event] = []
    so_far = given(CREDIT)
    for command in (grant("a", 100), hold("r", 50), settle("r", 130), grant("gift", 50, "promo")):
        so_far = so_far.and_then(command)
        history += so_far.events
    paid = ShortfallPaid(at=NOW, burnt=(Part("gift", 30),), owed_nusd=0)
    assert found_in(*history, paid) == ["lot gift was not bought and paid 30 nUSD of a shortfall"]


def test_verify_finds_a_wrong_total() -> None:
    settled = given(CREDIT, hold("r", 0)).when(settle("r", 30))
    _, shortfall = settled.then(Settled, ShortfallRecorded)
    wrong = ShortfallRecorded(
        at=NOW, reservation_id="r", key_id="key", amount_nusd=30, cause=shortfall.cause, owed_nusd=31
    )
    assert found_in(wrong) == ["30 nUSD are owed, not 31"]
