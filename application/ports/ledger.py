"""The ledger: the one way to write."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol
from uuid import UUID

import msgspec

from application.ports.answers import StoredAnswer
from domain.claim import Claim
from domain.decider import C, Decider, S
from domain.event import Event


class Recorded(msgspec.Struct, frozen=True):
    """The outcome of a command.

    events:       the events that it decided, as stored.
    position:     of its last event in the log; 0 if it decided nothing.
    seen_before:  true if an earlier call recorded this command id: these are that call's events.
    """

    events: tuple[Event, ...]
    position: int
    seen_before: bool = False


class Waiting(NamedTuple):
    """How a caller waits for the outcome of a command.

    patience_s:  then TimeoutError, up to 0.1 s later; None: for as long as it takes.
    sheddable:   refused with DomainError overloaded when the append queue is full, and given up if it was never sent
                 when its caller stops waiting; settles never are.
    on_recorded: called once with the outcome when it is recorded, also if nobody waits for it any more.
    """

    patience_s: float | None = None
    sheddable: bool = False
    on_recorded: Callable[[Recorded], None] | None = None


PATIENTLY = Waiting()
"""As long as it takes."""


class Ledger(Protocol):
    """Load -> decide -> append, in group commits. Returns only after the commit."""

    async def transact(
        self,
        decider: Decider[C, S],
        owner_id: str,
        command: C,
        *,
        command_id: UUID,
        correlation_id: UUID | None = None,
        input_hash: bytes | None = None,
        claims: Sequence[Claim] = (),
        releases: Sequence[Claim] = (),
        answer: StoredAnswer | None = None,
        waiting: Waiting = PATIENTLY,
    ) -> Recorded:
        """Decide `command` on the stream's newest state and record the outcome, once for ever per `command_id` (P5).

        input_hash: what the command id stands for; None hashes the command itself without its time.
        claims:     refused with DomainError claim_taken(kind) if another stream holds one; releases give them up.
        Raises:     DomainError of `decide`; command_id_reused if the id was recorded with another input hash;
                    ledger_unavailable if the database stays out of reach and nothing is known to be recorded.
                    TimeoutError when `waiting.patience_s` is over.
        Neither that nor cancelling the caller withdraws the command, unless it is sheddable and was never sent.
        """
        ...

    async def state_of(self, decider: Decider[C, S], owner_id: str) -> S:
        """Fold the stream from the log as it is now, never from a cache."""
        ...

    async def recall(self, command_ids: Sequence[UUID]) -> Mapping[UUID, Recorded]:
        """The outcomes of those of `command_ids` that were recorded."""
        ...

    async def holder_of(self, claim: Claim) -> str | None:
        """The stream that holds `claim`."""
        ...
