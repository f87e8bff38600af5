"""Hypothesis strategies for whole streams: whatever Account, ApiKey and CreditBalance can go through."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from domain.account.account import ACCOUNT, ChangeState, Open
from domain.account.events import AccountState
from domain.api_key.api_key import API_KEY, Change, Issue, Revoke, Rotate
from domain.api_key.events import KeySettings, Secret
from domain.credit.decider import CREDIT
from domain.decider import AnyDecider
from domain.errors import DomainError
from domain.event import Command, Event
from domain.window import KeyLimit
from tests.laws.credit_commands import PAUSES, START, any_command

SETTINGS = (
    KeySettings(label=b"one"),
    KeySettings(label=b"two", disabled=True),
    KeySettings(label=b"two", limit=KeyLimit(5, "daily"), expires_at=START),
)
SECRETS = (Secret(b"1", "aaaa"), Secret(b"2", "bbbb"), Secret(b"3", "cccc"))
STATES: tuple[AccountState, ...] = ("active", "past_due", "suspended", "closed")


@st.composite
def key_command(draw: DrawFn, state: Any, now: datetime, name: str) -> Command:
    chosen, secret = draw(st.sampled_from(SETTINGS)), draw(st.sampled_from(SECRETS))
    grace_s = draw(st.sampled_from([0, 3_600, 8 * 86_400]))
    issue = Issue(
        at=now, key_id="key", account_id="acc", kind="inference", environment="live", secret=secret, settings=chosen
    )
    change, rotate = Change(at=now, settings=chosen), Rotate(at=now, secret=secret, grace_s=grace_s)
    return draw(st.sampled_from([issue, change, change, rotate, rotate, Revoke(at=now)]))


@st.composite
def account_command(draw: DrawFn, state: Any, now: datetime, name: str) -> Command:
    opening = Open(at=now, account_id="acc", username=b"sealed", email=b"sealed")
    return draw(st.sampled_from([opening, ChangeState(at=now, state=draw(st.sampled_from(STATES)))]))


COMMANDS: dict[str, Callable[[Any, datetime, str], SearchStrategy[Command]]] = {
    ACCOUNT.name: account_command,
    API_KEY.name: key_command,
    CREDIT.name: any_command,
}


class History(msgspec.Struct, frozen=True):
    """One stream as it was lived: its events, the state they led to, and the time when it was left."""

    decider: AnyDecider
    events: tuple[Event, ...]
    state: Any
    now: datetime


DECIDERS: list[AnyDecider] = [ACCOUNT, API_KEY, CREDIT, CREDIT]


@st.composite
def histories(draw: DrawFn, of: AnyDecider | None = None) -> History:
    decider = of or draw(st.sampled_from(DECIDERS))
    state, now = decider.initial, START
    events: list[Event] = []
    for number in range(draw(st.integers(1, 20))):
        now += draw(PAUSES)
        command = draw(COMMANDS[decider.name](state, now, f"n{number}"))
        try:
            decided, state = decider.run(command, state)
        except DomainError:
            continue
        events += decided
    return History(decider, tuple(events), state, now)
