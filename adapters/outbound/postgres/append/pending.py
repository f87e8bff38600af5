"""Commands that wait for their commit, and how a batch is chosen from them."""

import asyncio
from collections import deque
from collections.abc import Sequence
from uuid import UUID

from adapters.outbound.postgres.append.append_batch import NewEvent
from application.ports.answers import StoredAnswer
from application.ports.ledger import PATIENTLY, Recorded, Waiting
from domain.claim import Claim
from domain.decider import AnyDecider
from domain.errors import DomainError
from domain.event import Command


class Pending:
    """One call of transact on its way. Either `decider` and `command`, or `raw` events decided elsewhere.

    rounds:      how often it was stale.
    sent:        whether this process ever sent an append with it.
    due_s:       by the loop's clock: when its caller stops waiting; None if never.
    is_answered: its outcome is final and known; a cancelled caller does not change that.
    goes_alone:  it was in a batch that the database refused; alone it cannot fail other commands.
    """

    __slots__ = (
        "answer",
        "claims",
        "command",
        "command_id",
        "correlation_id",
        "decider",
        "due_s",
        "future",
        "goes_alone",
        "input_hash",
        "is_answered",
        "raw",
        "releases",
        "rounds",
        "sent",
        "stream",
        "submission",
        "waiting",
    )

    def __init__(  # noqa: PLR0913 - a record, built by name in two places
        self,
        *,
        stream: str,
        command_id: UUID,
        submission: bytes,
        input_hash: bytes,
        future: "asyncio.Future[Recorded]",
        decider: AnyDecider | None = None,
        command: Command | None = None,
        raw: Sequence[NewEvent] = (),
        correlation_id: UUID | None = None,
        claims: Sequence[Claim] = (),
        releases: Sequence[Claim] = (),
        answer: StoredAnswer | None = None,
        waiting: Waiting = PATIENTLY,
    ) -> None:
        self.stream = stream
        self.command_id = command_id
        self.submission = submission
        self.input_hash = input_hash
        self.future = future
        self.decider = decider
        self.command = command
        self.raw = raw
        self.correlation_id = correlation_id
        self.claims = claims
        self.releases = releases
        self.answer = answer
        self.waiting = waiting
        self.due_s: float | None = None
        self.rounds = 0
        self.sent = False
        self.goes_alone = False
        self.is_answered = False

    @property
    def is_withdrawn(self) -> bool:
        """Its caller does not wait any more, it may be shed, and it was never sent: nothing is left to do."""
        return self.waiting.sheddable and not self.sent and self.future.done()

    def resolve(self, recorded: Recorded) -> None:
        self.is_answered = True
        if self.waiting.on_recorded is not None:  # by the loop: an error there is not one of the append
            self.future.get_loop().call_soon(self.waiting.on_recorded, recorded)
        if not self.future.done():
            self.future.set_result(recorded)

    def refuse(self, error: BaseException) -> None:
        """An error that nobody waits for is reported, unless it is a refusal."""
        self.is_answered = True
        if not self.future.done():
            self.future.set_exception(error)
        elif not isinstance(error, DomainError):
            self.future.get_loop().call_exception_handler({"message": "a command failed late", "exception": error})

    def stop_waiting_if_due(self, now_s: float) -> None:
        """The caller gets a TimeoutError; the command stays where it is."""
        if self.due_s is not None and self.due_s <= now_s and not self.future.done():
            self.future.set_exception(TimeoutError())


def choose_batch(queue: deque[Pending], max_commands: int) -> list[Pending]:
    """Take the next batch from the front of `queue`; commands that must not share an append stay in the queue.

    Two commands must not share one if they have the same command id or claim, or if one has raw events and both are on
    one stream. The order within a stream is kept. Withdrawn commands are dropped.
    """
    batch: list[Pending] = []
    waiting: list[Pending] = []
    taken: set[object] = set()
    blocked: set[str] = set()
    while queue and len(batch) < max_commands:
        pending = queue.popleft()
        if pending.is_withdrawn:
            continue
        if batch and (pending.goes_alone or batch[0].goes_alone):
            queue.appendleft(pending)
            break
        marks = _marks(pending)
        if pending.stream in blocked or not taken.isdisjoint(marks):
            blocked.add(pending.stream)
            waiting.append(pending)
            continue
        taken.update(marks)
        taken.add(pending.stream)
        batch.append(pending)
        if pending.raw:
            blocked.add(pending.stream)
    queue.extendleft(reversed(waiting))
    return batch


def _marks(pending: Pending) -> list[object]:
    """Marks that no other command in the batch may share."""
    marks: list[object] = [pending.command_id]
    if pending.claims or pending.releases:
        marks += [(claim.kind, claim.hash) for claim in (*pending.claims, *pending.releases)]
    if pending.raw:
        marks.append(pending.stream)
    return marks
