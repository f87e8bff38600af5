"""Tables of rules by event type. Each names what it handles and what it ignores: a forgotten event raises NoRule."""

from collections.abc import Iterable, Mapping
from typing import Protocol, TypeVar

from domain.aggregates import AGGREGATES
from domain.event import Event

Rule = TypeVar("Rule")


class NoRule(Exception):
    """A table of rules met an event that it neither handles nor ignores."""


class Named(Protocol):
    """The events that a table of rules names, without the rules."""

    @property
    def aggregates(self) -> frozenset[str]: ...

    @property
    def handles(self) -> frozenset[type[Event]]: ...

    @property
    def ignores(self) -> frozenset[type[Event]]: ...


class Rules(dict[type[Event], Rule | None]):
    """`RULES[type(event)]` is the event's rule, or None if the table ignores it. Raises: NoRule.

    aggregates: names of the aggregates with events that the table must name one by one. It ignores all other events.
    handles:    the rule of each event that matters.
    ignores:    the other events of these aggregates.
    """

    def __init__(
        self,
        aggregates: Iterable[str],
        handles: Mapping[type[Event], Rule],
        ignores: Iterable[type[Event]] = (),
    ) -> None:
        self.aggregates = frozenset(aggregates)
        self.handles = frozenset(handles)
        self.ignores = frozenset(ignores).union(*(current_events(name) for name in AGGREGATES.keys() - self.aggregates))
        super().__init__({**dict.fromkeys(self.ignores), **handles})

    def __missing__(self, kind: type[Event]) -> Rule | None:
        raise NoRule(f"no rule handles or ignores {kind.tag}")


def current_events(aggregate: str) -> frozenset[type[Event]]:
    """The event types that are written today. Decoding yields only these, whichever version is stored."""
    return frozenset(kind for kind in AGGREGATES[aggregate].events if kind.upcast is Event.upcast)
