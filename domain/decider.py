"""The shape every aggregate has: decide(command, state) -> events, evolve(state, event) -> state."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from domain.event import Command, Event


class Decider(msgspec.Struct, frozen=True):
    """One aggregate as data, so that a single write path serves them all.

    name:         stream prefix, e.g. "credit" for streams `credit-<account id>`.
    initial:      the state before the first event.
    decide:       command + state -> events; raises DomainError to refuse; an empty sequence means nothing to do.
    evolve:       state + event -> state; never refuses.
    events:       every version ever shipped; evolve sees only the current ones, decoding upcasts the others.
    state_type:   what a snapshot decodes to.
    state_schema: raised whenever the meaning or shape of the state changes; snapshots of another schema are ignored.
    """

    name: str
    initial: Any
    decide: Callable[[Any, Any], Sequence[Event]]
    evolve: Callable[[Any, Any], Any]
    events: tuple[type[Event], ...]
    state_type: Any
    state_schema: int

    def stream(self, owner_id: str) -> str:
        return f"{self.name}-{owner_id}"

    def fold(self, state: Any, events: Sequence[Event]) -> Any:
        for event in events:
            state = self.evolve(state, event)
        return state

    def run(self, command: Command, state: Any) -> tuple[Sequence[Event], Any]:
        """Decide and fold the outcome: what the write path and the tests both do."""
        events = self.decide(command, state)
        return events, self.fold(state, events)
