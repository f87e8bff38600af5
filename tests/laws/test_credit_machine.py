"""P2, P3, P6: CreditBalance goes through thousands of commands beside an independent model and agrees at every step."""

import ast
import random
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from domain.aggregates import CODEC
from domain.credit import events as e
from domain.credit.commands import CreditCommand
from domain.credit.decider import CREDIT
from domain.credit.lot import Part, total
from domain.credit.retired import RETIRED
from domain.credit.state import CreditBalance
from domain.credit.unpaid import WINDOW_DAYS, sum_nusd
from domain.errors import DomainError
from domain.event import Event
from domain.window import window_start
from tests.laws import credit_commands as make
from tests.laws.credit_model import WINDOWS, CreditModel, Refused, window_of

EXAMPLES, STEPS = 200, 60
LEAST_STEPS, LEAST_ACCEPTED, LEAST_OF_EACH = 10_000, 0.30, 40

TERMINAL = (e.Settled, e.Released, e.ReservationExpired)


class Tally:
    """What a whole run came to: without it a machine that does nothing would pass."""

    def __init__(self) -> None:
        self.steps = 0
        self.accepted = 0
        self.events: Counter[str] = Counter()
        self.refusals: Counter[str] = Counter()


class CreditMachine(RuleBasedStateMachine):
    tally: ClassVar[Tally] = Tally()

    def __init__(self) -> None:
        super().__init__()
        self.state: CreditBalance = CREDIT.initial
        self.model = CreditModel()
        self.now = make.START
        self.history: list[Event] = []  # as the log would give it back
        self.asked = 0

    @rule(data=st.data())
    def ask(self, data: st.DataObject) -> None:
        """One step: the same command to the decider, to its thawed snapshot and to the model; all must agree."""
        self.asked += 1
        self.now += data.draw(make.PAUSES, "pause")
        command = data.draw(make.any_command(self.state, self.now, f"n{self.asked}"), "command")
        outcome = decided(command, self.state)
        assert decided(command, thawed(self.state)) == outcome
        assert modelled(command, self.model) == told(outcome)
        self.count(outcome)
        if isinstance(outcome, list):
            check_parts(outcome)
            self.history += [CODEC.decode(event.tag, CODEC.encode(event)) for event in outcome]
            assert self.history[len(self.history) - len(outcome) :] == outcome
            self.state = CREDIT.fold(self.state, outcome)

    def count(self, outcome: list[Event] | DomainError) -> None:
        self.tally.steps += 1
        if isinstance(outcome, DomainError):
            self.tally.refusals[outcome.code] += 1
        else:
            self.tally.accepted += bool(outcome)
            self.tally.events.update(event.tag for event in outcome)

    @invariant()
    def available_is_never_negative(self) -> None:
        assert self.state.available_nusd(self.now) >= 0
        assert all(lot.unheld_nusd >= 0 and lot.held_nusd >= 0 for lot in self.state.lots.values())

    @invariant()
    def balances_equal_the_models(self) -> None:
        state, model = self.state, self.model
        assert state.posted_nusd == model.posted()
        assert state.held_nusd == sum(model.cost(r) for r in model.open())
        assert state.owed_nusd == model.owed() >= 0
        today = max(self.now, state.at)
        assert sum_nusd(state.unpaid, today.date()) == model.within_30_days(model.unpaid, today)
        assert sum_nusd(state.settled, today.date()) == model.within_30_days(model.paid, today)
        assert max(len(state.unpaid), len(state.settled)) <= WINDOW_DAYS + 1
        assert state.available_nusd(self.now) == model.available(self.now)
        assert state.available_nusd(self.now, ("purchased",)) == model.available(self.now, ("purchased",))

    @invariant()
    def lots_and_holds_equal_the_models(self) -> None:
        lots = [(lot.lot_id, lot.remaining_nusd, lot.held_nusd) for lot in self.state.lots.values()]
        assert lots == [
            (g["lot_id"], self.model.remaining(g["lot_id"]), self.model.held(g["lot_id"])) for g in self.model.live()
        ]
        assert {rid: added_up(r.holds) for rid, r in self.state.reservations.items()} == {
            r["id"]: added_up([Part(*hold) for hold in r["holds"]]) for r in self.model.open()
        }

    @invariant()
    def key_spend_equals_the_models(self) -> None:
        keys = {r["key"] for r in self.model.reservations if r["counts"]}
        assert set(self.state.key_spend) == keys
        for key in keys:
            latest = self.model.counted(key)[-1]["at"]
            for window, spend in self.state.key_spend[key].items():
                assert (window_of(window, latest), spend.amount_nusd) == self.model.spent(key, window)
                assert spend.start == window_start(window, latest)
            assert set(self.state.key_spend[key]) == set(WINDOWS)

    @invariant()
    def the_sum_of_parts_is_the_whole(self) -> None:
        state = self.state
        granted = sum(event.amount_nusd for event in self.history if isinstance(event, e.Granted))
        burnt = sum(event.paid_nusd for event in self.history if isinstance(event, e.Settled))
        burnt += sum(event.amount_nusd for event in self.history if isinstance(event, e.ShortfallPaid))
        lapsed = sum(event.amount_nusd for event in self.history if isinstance(event, e.LotExpired))
        assert state.posted_nusd == granted - burnt - lapsed == sum(lot.remaining_nusd for lot in state.lots.values())
        assert state.held_nusd == sum(lot.held_nusd for lot in state.lots.values())
        assert state.held_nusd == sum(r.amount_nusd for r in state.reservations.values())
        assert all(r.amount_nusd == total(r.holds) for r in state.reservations.values())

    @invariant()
    def each_reservation_ends_exactly_once(self) -> None:
        begun = [event.reservation_id for event in self.history if isinstance(event, e.Reserved)]
        ended = Counter(event.reservation_id for event in self.history if isinstance(event, TERMINAL))
        assert sorted(begun) == sorted([*ended, *self.state.reservations])
        assert set(ended.values()) <= {1}

    @invariant()
    def unpaid_work_stands_behind_the_end_of_its_reservation(self) -> None:
        for end, event in pairwise(self.history):
            if isinstance(event, e.WorkUnpaid):
                assert isinstance(end, e.Settled | e.Released)
                assert (end.reservation_id, end.at) == (event.reservation_id, event.at)
                paid_nusd = end.paid_nusd if isinstance(end, e.Settled) else 0
                assert 0 < event.presumed_nusd <= end.reserved_nusd - paid_nusd

    @invariant()
    def replay_equals_live(self) -> None:
        replayed = CREDIT.fold(CREDIT.initial, self.history)
        assert (replayed, list(replayed.lots)) == (self.state, list(self.state.lots))
        assert [event.at for event in self.history] == sorted(event.at for event in self.history)


Outcome = list[Event] | DomainError


class Facts(DomainError):
    """A refusal that can be compared."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DomainError) and (self.code, self.facts) == (other.code, other.facts)

    __hash__ = DomainError.__hash__


def decided(command: CreditCommand, state: CreditBalance) -> Outcome:
    try:
        return list(CREDIT.decide(command, state))
    except DomainError as refusal:
        return Facts(refusal.code, **refusal.facts)


def thawed(state: CreditBalance) -> CreditBalance:
    """The state after it was a snapshot."""
    again: CreditBalance = msgspec.json.decode(msgspec.json.encode(state), type=CREDIT.state_type)
    assert (again, list(again.lots)) == (state, list(state.lots))
    return again


def modelled(command: CreditCommand, model: CreditModel) -> Any:
    plain = msgspec.to_builtins(command, builtin_types=(datetime,))
    try:
        return model.ask(type(command).__name__, plain)
    except Refused as refusal:
        return refusal.code, refusal.facts


def told(outcome: Outcome) -> Any:
    """A decider's outcome in the model's words."""
    if isinstance(outcome, DomainError):
        facts = outcome.facts if outcome.code == "insufficient_credits" else {}
        return outcome.code, facts
    return [_TELL[type(event)](event) for event in outcome]


def pairs(parts: tuple[Part, ...]) -> tuple[tuple[str, int], ...]:
    return tuple((part.lot_id, part.amount_nusd) for part in parts)


_TELL: dict[type[Event], Callable[[Any], tuple[Any, ...]]] = {
    e.Granted: lambda x: ("granted", x.lot_id, x.amount_nusd),
    e.Reserved: lambda x: ("reserved", x.reservation_id, x.granted_tokens, x.amount_nusd, pairs(x.holds)),
    e.ReservationExtended: lambda x: ("reservation_extended", x.reservation_id, x.added_nusd, pairs(x.holds)),
    e.AttemptRecorded: lambda x: ("attempt_recorded", x.reservation_id),
    e.Settled: lambda x: ("settled", x.reservation_id, pairs(x.burnt)),
    e.ShortfallRecorded: lambda x: ("shortfall_recorded", x.reservation_id, x.amount_nusd, x.owed_nusd),
    e.ShortfallPaid: lambda x: ("shortfall_paid", pairs(x.burnt), x.owed_nusd),
    e.Released: lambda x: ("released", x.reservation_id),
    e.WorkUnpaid: lambda x: ("work_unpaid", x.reservation_id, x.presumed_nusd, x.cause),
    e.ReservationExpired: lambda x: ("reservation_expired", x.reservation_id),
    e.LotExpired: lambda x: ("lot_expired", x.lot_id, x.amount_nusd),
}


def added_up(parts: Any) -> dict[str, int]:
    amounts: Counter[str] = Counter()
    for part in parts:
        amounts[part.lot_id] += part.amount_nusd
    return dict(amounts)


def check_parts(events: list[Event]) -> None:
    """Every split adds up to its whole."""
    for event in events:
        if isinstance(event, e.Reserved):
            assert total(event.holds) == event.amount_nusd == event.quote.amount_for(event.granted_tokens)
        if isinstance(event, e.ReservationExtended):
            assert total(event.holds) == event.added_nusd > 0
        if isinstance(event, e.Settled):
            shortfall = sum(s.amount_nusd for s in events if isinstance(s, e.ShortfallRecorded))
            assert total(event.burnt) + shortfall == event.charge.total_nusd


def test_p2_p3_credit_balance_agrees_with_its_model(pytestconfig: pytest.Config) -> None:
    chosen = pytestconfig.getoption("--hypothesis-seed")
    number = random.SystemRandom().randrange(2**32) if chosen in (None, "random") else int(chosen)
    print(f"again with --hypothesis-seed={number}")
    tally = Tally()
    machine = seed(number)(type("TalliedCreditMachine", (CreditMachine,), {"tally": tally}))
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            derandomize=False,
            suppress_health_check=list(HealthCheck),
        ),
    )
    print(f"{tally.steps} steps, {tally.accepted} accepted, {dict(tally.events)}, refused {dict(tally.refusals)}")
    assert tally.steps >= LEAST_STEPS
    assert tally.accepted >= LEAST_ACCEPTED * tally.steps
    written = {kind.tag for kind in CREDIT.events if kind not in RETIRED}
    assert {tag for tag in written if tally.events[tag] < LEAST_OF_EACH} == set()


def test_the_model_imports_nothing_of_the_product() -> None:
    tree = ast.parse((Path(__file__).parent / "credit_model.py").read_text())
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported == {"datetime", "fractions", "hashlib", "math", "typing", "uuid"}
