"""P4, P5: what holds for every stream, whatever it went through."""

from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.aggregates import CODEC
from domain.api_key.api_key import API_KEY, Revoke
from domain.credit.decider import CREDIT
from domain.decider import Decider
from domain.errors import DomainError
from domain.event import Command
from domain.proof.money import MoneyWalk
from tests.laws.credit_commands import ENDINGS, Makes
from tests.laws.histories import History, histories

LAW = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def same(decider: Decider, one: object, other: object) -> bool:
    """Equal, also in the order of dicts (lots are kept in burn order)."""
    assert isinstance(one, decider.state_type)
    return one == other and msgspec.json.encode(one) == msgspec.json.encode(other)


@LAW
@given(histories())
def test_replay_equals_live(lived: History) -> None:
    stored = [(event.tag, CODEC.encode(event)) for event in lived.events]
    replayed = lived.decider.fold(lived.decider.initial, [CODEC.decode(tag, state) for tag, state in stored])
    assert same(lived.decider, replayed, lived.state)


@LAW
@given(histories(), st.data())
def test_a_snapshot_anywhere_changes_nothing(lived: History, data: st.DataObject) -> None:
    decider = lived.decider
    split = data.draw(st.integers(0, len(lived.events)))
    before = decider.fold(decider.initial, lived.events[:split])
    thawed = msgspec.json.decode(msgspec.json.encode(before), type=decider.state_type)
    assert same(decider, thawed, before)
    assert same(decider, decider.fold(thawed, lived.events[split:]), lived.state)


@LAW
@given(histories())
def test_time_never_runs_backwards(lived: History) -> None:
    times = [event.at for event in lived.events]
    assert times == sorted(times)


@LAW
@given(histories(CREDIT))
def test_p7_the_auditors_walk_finds_no_fault_in_what_was_decided(lived: History) -> None:
    walk = MoneyWalk()
    findings = [walk.walk(position, "credit-acc", event) for position, event in enumerate(lived.events, 1)]
    assert findings == [None] * len(lived.events)


@LAW
@given(histories(CREDIT), st.sampled_from(ENDINGS), st.data())
def test_p5_what_ended_does_not_end_twice(lived: History, makes: Makes, data: st.DataObject) -> None:
    command = data.draw(makes(lived.state, lived.now, "last"))
    assert_happens_once(CREDIT, lived, command)


@LAW
@given(histories(API_KEY))
def test_p5_a_key_is_revoked_once(lived: History) -> None:
    assert_happens_once(API_KEY, lived, Revoke(at=lived.now))


def assert_happens_once(decider: Decider, lived: History, command: Command) -> None:
    """Either `command` is refused, or the state it leads to refuses it or finds nothing more to do."""
    state = after(decider, lived.state, command)
    assert state is None or after(decider, state, command) in (None, state)


def after(decider: Decider, state: Any, command: Command) -> Any:
    """The state that `command` leads to, None if it is refused."""
    try:
        return decider.run(command, state)[1]
    except DomainError:
        return None
