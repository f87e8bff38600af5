"""Tables of rules by event type. Each names what it handles and what it ignores: a forgotten event is seen."""

from collections.abc import Iterable, Mapping
from typing import Protocol, TypeVar

from domain.aggregates import AGGREGATES
from domain.event import Event

Rule = TypeVar("Rule")


class NoRule(Exception):
    """A table of rules met an event that it neither handles nor ignores."""


class Named(Protocol):
    """Which events a table of rules names, whatever its rules are."""

    @property
    def aggregates(self) -> frozenset[str]: ...

    @property
    def handles(self) -> frozenset[type[Event]]: ...

    @property
    def ignores(self) -> frozenset[type[Event]]: ...


class Rules(dict[type[Event], Rule | None]):
    """`RULES[type(event)]` is the event's rule, or None if the table ignores it. Raises: NoRule.

    aggregates: names of those whose events the table answers for, one by one. It ignores those of all others.
    handles:    the rule of each event that matters.
    ignores:    every other event of these aggregates.
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
    """The versions that are written today: what decoding yields, whatever version was stored."""
    return frozenset(kind for kind in AGGREGATES[aggregate].events if kind.upcast is Event.upcast)
