"""The shape of every aggregate: decide(command, state) -> events, evolve(state, event) -> state."""

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeAlias, TypeVar

import msgspec

from domain.event import Command, Event

C = TypeVar("C", bound=Command)
"""The commands of one aggregate: a union such as AccountCommand."""

S = TypeVar("S")
"""The state of one aggregate."""


class Decider(msgspec.Struct, Generic[C, S], frozen=True):
    """One aggregate as data, so that a single write path serves them all.

    name:         stream prefix, e.g. "credit" for streams `credit-<account id>`.
    has_account_streams: the id behind the prefix is the account's; if not, every event names its `account_id`.
    initial:      the state before the first event.
    decide:       command + state -> events; raises DomainError to refuse; an empty sequence means nothing to do.
    evolve:       state + event -> state; never refuses.
    events:       every version ever shipped; evolve sees only the current ones, decoding upcasts the others.
    state_type:   what a snapshot decodes to.
    state_schema: raised whenever the meaning or shape of the state changes; snapshots of another schema are ignored.
    """

    name: str
    has_account_streams: bool
    initial: S
    decide: Callable[[C, S], Sequence[Event]]
    evolve: Callable[[S, Event], S]
    events: tuple[type[Event], ...]
    state_type: type[S]
    state_schema: int

    def stream(self, owner_id: str) -> str:
        return f"{self.name}-{owner_id}"

    def fold(self, state: S, events: Sequence[Event]) -> S:
        for event in events:
            state = self.evolve(state, event)
        return state

    def run(self, command: C, state: S) -> tuple[Sequence[Event], S]:
        """Decide, then fold the new events. The write path and the tests both use this."""
        events = self.decide(command, state)
        return events, self.fold(state, events)


AnyDecider: TypeAlias = Decider[Any, Any]
"""Any aggregate, for code that serves all of them: a registry, a batch, a cache of streams. The type checker does not
know its commands and state; use cases name the aggregate itself."""
