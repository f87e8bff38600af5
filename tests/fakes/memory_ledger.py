"""The ledger in memory: real deciders, command ids, claims and answers; no database. One event loop or none."""

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from application.ports.answers import StoredAnswer
from application.ports.ledger import PATIENTLY, Recorded, Waiting
from domain.claim import Claim
from domain.decider import C, Decider, S
from domain.errors import DomainError
from domain.event import GENESIS, Command
from domain.log import RecordedEvent


class MemoryLedger:
    """Also the AnswerStore. A test may stop it at commands of one kind (`held_back`), or have them fail (`failing`)."""

    def __init__(self) -> None:
        self.log: list[RecordedEvent] = []
        self.asked = 0  # times that a command was sent or commands were recalled
        self.held_back: set[type[Command]] = set()
        self.failing: dict[type[Command], Exception] = {}
        self.is_full = False
        self._queue: set[asyncio.Task[Recorded]] = set()
        self._states: dict[str, Any] = {}
        self._versions: dict[str, int] = {}
        self._commands: dict[UUID, tuple[bytes, Recorded]] = {}
        self._claims: dict[Claim, str] = {}
        self._answers: dict[UUID, StoredAnswer] = {}

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
        self.asked += 1
        if waiting.sheddable and self.is_full:
            raise DomainError("overloaded", retry_after_s=1)

        def record() -> Recorded:
            if type(command) in self.failing:
                raise self.failing[type(command)]
            known_by = input_hash or _hash_of(command)
            if command_id in self._commands:
                recorded = self._seen(command_id, known_by)
            else:
                recorded = self._decide(decider, owner_id, command, command_id, correlation_id, claims, releases)
                self._commands[command_id] = known_by, recorded
                if answer is not None:
                    self._answers.setdefault(command_id, answer)
            if waiting.on_recorded is not None:
                waiting.on_recorded(recorded)
            return recorded

        return await self._when_let_go(type(command), record, waiting)

    def _decide(
        self,
        decider: Decider[C, S],
        owner_id: str,
        command: C,
        command_id: UUID,
        correlation_id: UUID | None,
        claims: Sequence[Claim],
        releases: Sequence[Claim],
    ) -> Recorded:
        stream = decider.stream(owner_id)
        events, state = decider.run(command, self._states.get(stream, decider.initial))
        self._claim(stream, claims, releases)
        self._states[stream] = state
        for event in events:
            version = self._versions[stream] = self._versions.get(stream, 0) + 1
            position = len(self.log) + 1
            self.log.append(
                RecordedEvent(position, stream, version, event.tag, event, event.at, command_id, correlation_id)
            )
        return Recorded(tuple(events), len(self.log) if events else 0)

    async def _when_let_go(self, kind: type[Command], record: Callable[[], Recorded], waiting: Waiting) -> Recorded:
        """Held back, a command waits in the queue whatever its caller does, as in the real one."""
        if kind not in self.held_back:
            await asyncio.sleep(0)
            return record()
        queued = asyncio.create_task(self._queued(kind, record))
        self._queue.add(queued)
        try:
            async with asyncio.timeout(waiting.patience_s):
                return await asyncio.shield(queued)
        except (TimeoutError, asyncio.CancelledError):
            if waiting.sheddable:
                queued.cancel()
            raise

    async def _queued(self, kind: type[Command], record: Callable[[], Recorded]) -> Recorded:
        while kind in self.held_back:
            await asyncio.sleep(0.005)
        return record()

    def _seen(self, command_id: UUID, input_hash: bytes) -> Recorded:
        known_hash, recorded = self._commands[command_id]
        if known_hash != input_hash:
            raise DomainError("command_id_reused", command_id=str(command_id))
        return msgspec.structs.replace(recorded, seen_before=True)

    def _claim(self, stream: str, claims: Sequence[Claim], releases: Sequence[Claim]) -> None:
        for claim in claims:
            if self._claims.get(claim, stream) != stream:
                raise DomainError("claim_taken", kind=claim.kind)
        self._claims.update(dict.fromkeys(claims, stream))
        for claim in releases:
            self._claims.pop(claim, None)

    async def state_of(self, decider: Decider[C, S], owner_id: str) -> S:
        return self.state_now(decider, owner_id)

    def state_now(self, decider: Decider[C, S], owner_id: str) -> S:
        state: S = self._states.get(decider.stream(owner_id), decider.initial)
        return state

    async def recall(self, command_ids: Sequence[UUID]) -> Mapping[UUID, Recorded]:
        self.asked += 1
        return {found: self._commands[found][1] for found in command_ids if found in self._commands}

    async def holder_of(self, claim: Claim) -> str | None:
        return self._claims.get(claim)

    def forget_answers(self) -> None:
        self._answers.clear()

    async def find(self, command_id: UUID, now: datetime) -> bytes | None:
        """AnswerStore's."""
        kept = self._answers.get(command_id)
        return kept.sealed if kept is not None and now < kept.expires_at else None


def _hash_of(command: Command) -> bytes:
    timeless = msgspec.structs.replace(command, at=GENESIS)
    return hashlib.blake2b(type(command).__name__.encode() + msgspec.json.encode(timeless), digest_size=16).digest()
