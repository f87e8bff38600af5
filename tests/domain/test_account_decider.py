"""Account: opened once, its state decides who is served and what may be burnt (docs/reference/rules.md#accounts)."""

from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest

from domain.account.account import ACCOUNT, ChangeState, Open, burnable_kinds, may_be_served
from domain.account.events import AccountState, Opened, StateChanged
from tests.domain.given import given

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
OPEN = Open(at=NOW, account_id="acc", username=b"sealed name", email=b"sealed email")

SERVED: dict[AccountState, tuple[bool, tuple[str, ...] | None]] = {
    "trial": (True, None),
    "active": (True, None),
    "inactive": (True, ("purchased",)),
    "past_due": (True, ("purchased",)),
    "suspended": (False, None),
    "bot": (False, None),
    "closed": (False, None),
}


def test_an_account_opens_with_sealed_personal_data() -> None:
    story = given(ACCOUNT).when(OPEN)
    opened = story.then(Opened)
    assert (opened.account_id, opened.username, opened.email) == ("acc", b"sealed name", b"sealed email")
    assert (story.state.exists, story.state.state) == (True, "active")


def test_an_account_opens_once() -> None:
    given(ACCOUNT, OPEN).when(OPEN).then_refused("account_exists", account_id="acc")


def test_its_state_changes_with_a_reason() -> None:
    story = given(ACCOUNT, OPEN).when(ChangeState(at=NOW, state="suspended", reason=b"sealed"))
    changed = story.then(StateChanged)
    assert (changed.account_id, changed.state, changed.reason) == ("acc", "suspended", b"sealed")
    assert story.state.state == "suspended"


def test_changing_to_the_same_state_does_nothing() -> None:
    given(ACCOUNT, OPEN).when(ChangeState(at=NOW, state="active")).then_nothing()


def test_what_was_never_opened_cannot_change() -> None:
    story = given(ACCOUNT).when(ChangeState(at=NOW, state="active"))
    story.then_refused("account_not_found")
    assert not may_be_served(story.state.state)


def test_time_never_runs_backwards_in_a_stream() -> None:
    story = given(ACCOUNT, OPEN).when(ChangeState(at=NOW - timedelta(hours=1), state="bot"))
    assert story.then(StateChanged).at == NOW


@pytest.mark.parametrize("state", get_args(AccountState))
def test_each_state_says_whether_it_is_served_and_what_it_burns(state: AccountState) -> None:
    is_served, burns = SERVED[state]
    assert may_be_served(state) == is_served
    if is_served:
        assert burnable_kinds(state) == burns
