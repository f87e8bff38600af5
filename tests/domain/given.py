"""Given what an account, key or credit stream went through, when it is asked for something, then this comes of it."""

from collections.abc import Sequence
from typing import Any

from domain.decider import Decider
from domain.errors import DomainError
from domain.event import Command, Event


class Story:
    """One stream's tale so far: its `state`, and what the last command came to: `events` or a `refusal`."""

    def __init__(self, decider: Decider, state: Any, events: Sequence[Event] = ()) -> None:
        self.decider = decider
        self.state = state
        self.events = tuple(events)
        self.refusal: DomainError | None = None

    def when(self, command: Command) -> "Story":
        try:
            events, state = self.decider.run(command, self.state)
        except DomainError as refusal:
            story = Story(self.decider, self.state)
            story.refusal = refusal
            return story
        return Story(self.decider, state, events)

    def and_then(self, command: Command) -> "Story":
        """`when`, for a step that must be accepted on the way to the one that is tested."""
        story = self.when(command)
        assert story.refusal is None, f"{command} was refused: {story.refusal}"
        return story

    def then(self, *kinds: type[Event]) -> Any:
        """The outcome is events of these kinds, in this order. Returns the event, or the tuple if there are several."""
        assert self.refusal is None, f"refused: {self.refusal}"
        assert [type(event) for event in self.events] == list(kinds)
        return self.events[0] if len(self.events) == 1 else self.events

    def then_nothing(self) -> "Story":
        self.then()
        return self

    def then_refused(self, code: str, **facts: Any) -> None:
        """The outcome is a refusal with `code`, whose facts include `facts`."""
        assert self.refusal is not None, f"not refused, but: {self.events}"
        assert self.refusal.code == code
        assert {name: self.refusal.facts[name] for name in facts} == facts


def given(decider: Decider, *commands: Command) -> Story:
    """A stream that accepted `commands`, in this order."""
    story = Story(decider, decider.initial)
    for command in commands:
        story = story.and_then(command)
    return story
