"""Decides a batch: each command on the newest state known here, one after the other
(docs/explanation/architecture.md#the-write-path)."""

from collections.abc import Mapping, Sequence

from adapters.outbound.postgres.append.append_batch import NewEvent, Submission
from adapters.outbound.postgres.append.pending import Pending
from adapters.outbound.postgres.append.stream_cache import Cached
from application.ports.ledger import Recorded
from domain.aggregates import CODEC
from domain.errors import DomainError
from domain.event import Event


class DecidedBatch:
    """A batch decided on `bases`, by stream: what to send, what was refused, the states if all of it is recorded."""

    def __init__(self, bases: Mapping[str, Cached], batch: list[Pending]) -> None:
        self.submissions: list[Submission] = []
        self.events: list[Sequence[Event]] = []
        self.refusals: dict[int, DomainError] = {}
        self.states: dict[str, Cached] = {}
        self._bases = bases
        for i, pending in enumerate(batch):
            self.submissions.append(self._raw(pending) if pending.raw else self._decide(i, pending))

    def _raw(self, pending: Pending) -> Submission:
        self.events.append(())
        return _submission(pending, pending.raw[0].version - 1, pending.raw)

    def _decide(self, i: int, pending: Pending) -> Submission:
        assert pending.decider is not None and pending.command is not None  # a Pending is one or the other
        base = self._bases[pending.stream]
        cached = self.states.get(pending.stream, base)
        try:
            events, state = pending.decider.run(pending.command, cached.state)
        except DomainError as refusal:
            self.refusals[i] = refusal
            self.events.append(())
            return _submission(pending, base.version, (), is_refusal=True)
        self.events.append(events)
        new = [NewEvent(cached.version + n, event.tag, CODEC.encode(event)) for n, event in enumerate(events, 1)]
        self.states[pending.stream] = cached._replace(version=cached.version + len(new), state=state)
        return _submission(pending, base.version, new)

    def answer(self, i: int, pending: Pending, first: int | None) -> None:
        """Answer the i-th command, which is final now; `first` is the position of its first event."""
        if i in self.refusals:
            pending.refuse(self.refusals[i])
            return
        count = len(self.submissions[i].events)
        position = first + count - 1 if first is not None and count else 0
        pending.resolve(Recorded(tuple(self.events[i]), position))


def _submission(pending: Pending, expected: int, events: Sequence[NewEvent], *, is_refusal: bool = False) -> Submission:
    return Submission(
        pending.command_id,
        pending.submission,
        pending.input_hash,
        pending.stream,
        expected,
        events,
        is_refusal,
        pending.correlation_id,
        pending.claims,
        pending.releases,
        pending.answer,
    )
