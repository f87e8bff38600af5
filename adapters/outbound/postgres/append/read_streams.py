"""Reads the log as it is now, on its own connection: states of streams, results of commands, holders of claims."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar
from uuid import UUID

from adapters.outbound.postgres.append.load_streams import load_streams
from adapters.outbound.postgres.append.recall_commands import recall_commands
from adapters.outbound.postgres.wire.ask_server import LOST, WireConnection
from application.ports.ledger import Recorded
from domain.claim import Claim
from domain.decider import C, Decider, S
from domain.errors import DomainError

T = TypeVar("T")

HOLDER = "SELECT stream FROM ledger.claims WHERE kind = $1::text AND hash = $2::bytea"

READ_TIMEOUT_S = 5.0
STREAM_READ_PATIENCE_S = 10.0
"""For a read with its wait in the queue; after that the server counts as out of reach."""

READ_TRIES = 2
"""If the connection breaks during a read, it is opened again once: reading twice changes nothing."""


class LoggedStreams:
    """One read at a time. Raises: DomainError ledger_unavailable when the database is out of reach."""

    def __init__(self, info: str) -> None:
        self._info = info
        self._connection: WireConnection | None = None
        self._asking = asyncio.Lock()

    async def state_of(self, decider: Decider[C, S], owner_id: str) -> S:
        stream = decider.stream(owner_id)
        loaded = await self._ask(lambda connection: load_streams(connection, {stream: decider}))
        state: S = loaded[stream].state
        return state

    async def recall(self, command_ids: Sequence[UUID]) -> Mapping[UUID, Recorded]:
        return await self._ask(lambda connection: recall_commands(connection, command_ids, READ_TIMEOUT_S))

    async def holder_of(self, claim: Claim) -> str | None:
        result = await self._ask(
            lambda connection: connection.ask(HOLDER, [claim.kind.encode(), claim.hash], READ_TIMEOUT_S)
        )
        found = result.get_value(0, 0) if result.ntuples else None
        return found.decode() if found is not None else None

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    async def _ask(self, question: Callable[[WireConnection], Awaitable[T]]) -> T:
        try:
            async with asyncio.timeout(STREAM_READ_PATIENCE_S), self._asking:
                for _ in range(READ_TRIES - 1):
                    try:
                        return await question(await self._open())
                    except LOST:
                        continue
                return await question(await self._open())
        except LOST as error:
            raise DomainError("ledger_unavailable", retry_after_s=1) from error

    async def _open(self) -> WireConnection:
        if self._connection is None or self._connection.is_closed:
            self._connection = await WireConnection.open(self._info)
        return self._connection
