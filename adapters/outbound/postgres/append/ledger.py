"""The one way to write (application.ports.ledger.Ledger): load, decide, append in group commits."""

import asyncio
import hashlib
import itertools
import secrets
from collections.abc import Iterator, Mapping, Sequence
from typing import Unpack
from uuid import UUID, uuid4

import msgspec

from adapters.outbound.postgres.append.append_batch import NewEvent
from adapters.outbound.postgres.append.group_commit import GroupCommit, Options
from adapters.outbound.postgres.append.pending import Pending
from adapters.outbound.postgres.append.read_streams import LoggedStreams
from application.ports.answers import StoredAnswer
from application.ports.ledger import PATIENTLY, Recorded, Waiting
from domain.claim import Claim
from domain.decider import C, Decider, S
from domain.event import GENESIS, Command


class PostgresLedger:
    """Serves one event loop. `run` must be running (a task) for anything to be written."""

    def __init__(self, info: str, **options: Unpack[Options]) -> None:
        self._commits = GroupCommit(info, **options)
        self._submissions = submission_ids()
        self._reader = LoggedStreams(info)

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
        return await self._commits.submit(
            Pending(
                stream=decider.stream(owner_id),
                command_id=command_id,
                submission=next(self._submissions),
                input_hash=hash_of(command) if input_hash is None else input_hash,
                future=asyncio.get_running_loop().create_future(),
                decider=decider,
                command=command,
                correlation_id=correlation_id,
                claims=claims,
                releases=releases,
                answer=answer,
                waiting=waiting,
            )
        )

    async def append_raw(self, stream: str, events: Sequence[NewEvent]) -> int:
        """Append events decided elsewhere (the eventsourcing library's recorder); returns their first position.

        Raises: DomainError stale_stream if the stream is not at the version before the first event.
        """
        pending = Pending(
            stream=stream,
            command_id=uuid4(),
            submission=next(self._submissions),
            input_hash=b"",
            future=asyncio.get_running_loop().create_future(),
            raw=events,
        )
        recorded = await self._commits.submit(pending)
        return recorded.position - len(events) + 1

    async def state_of(self, decider: Decider[C, S], owner_id: str) -> S:
        return await self._reader.state_of(decider, owner_id)

    async def recall(self, command_ids: Sequence[UUID]) -> Mapping[UUID, Recorded]:
        return await self._reader.recall(command_ids)

    async def holder_of(self, claim: Claim) -> str | None:
        return await self._reader.holder_of(claim)

    @property
    def queued(self) -> int:
        return self._commits.queued

    @property
    def busy_streams(self) -> Mapping[str, float]:
        """Streams that another session has locked for long, with the seconds."""
        return self._commits.busy.long()

    async def run(self) -> None:
        """Append until `close`, then until the queue is empty. On failure commands fail with `ledger_unavailable`."""
        try:
            await self._commits.run()
        finally:
            self._reader.close()

    async def close(self) -> None:
        """Shed new reserves and let `run` end once everything queued is answered."""
        await self._commits.close()


def submission_ids() -> Iterator[bytes]:
    """16 bytes each that no other call of transact has, in any process: eight random ones and a count."""
    ours = secrets.token_bytes(8)
    return (ours + number.to_bytes(8, "big") for number in itertools.count())


def hash_of(command: Command) -> bytes:
    """Hash of a command without its time: a retry at another time is the same command."""
    timeless = msgspec.structs.replace(command, at=GENESIS)
    kind = type(command).__name__.encode()[:16]
    return hashlib.blake2b(msgspec.json.encode(timeless), digest_size=16, person=kind).digest()
