"""Wakes followers after commits. Nothing depends on it, since every follower also polls
(docs/explanation/architecture.md#the-write-path)."""

import asyncio
import contextlib

import psycopg

from adapters.outbound.postgres.wire.ask_server import LOST, WireConnection
from adapters.outbound.postgres.wire.wake_up import NOTIFY

NOT_DURABLE = "SELECT set_config('synchronous_commit', 'off', false)"  # nothing here is worth an fsync

MIN_PAUSE_S = 0.05
"""NOTIFY takes a lock that all committing sessions of the cluster share; twenty a second feel immediate enough."""

RETRY_PAUSE_S = 0.5
NOTIFY_ANSWER_S = 1.0
"""Connecting and sending together; also the longest delay when the process ends."""


class Notifier:
    """Sends one NOTIFY for any number of appends, on a connection of its own, outside every append."""

    def __init__(self, info: str) -> None:
        self._info = info
        self._due = asyncio.Event()
        self._connection: WireConnection | None = None

    def appended(self) -> None:
        self._due.set()

    async def run(self) -> None:
        """Runs until cancelled, then sends a NOTIFY that is still due: the next append may be long in coming."""
        try:
            while True:
                await self._due.wait()
                is_sent = await self._send()
                await asyncio.sleep(MIN_PAUSE_S if is_sent else RETRY_PAUSE_S)
        finally:
            if self._due.is_set():
                await self._send()
            if self._connection is not None:
                self._connection.close()

    async def _send(self) -> bool:
        """Returns: whether it was sent; if not, it stays due."""
        is_sent = False
        self._due.clear()
        try:
            with contextlib.suppress(psycopg.Error, *LOST):
                async with asyncio.timeout(NOTIFY_ANSWER_S):
                    await (await self._open()).ask(NOTIFY, [], NOTIFY_ANSWER_S)
                is_sent = True
        finally:
            if not is_sent:
                self._due.set()
        return is_sent

    async def _open(self) -> WireConnection:
        if self._connection is None or self._connection.is_closed:
            self._connection = await WireConnection.open(self._info)
            await self._connection.ask(NOT_DURABLE, [], NOTIFY_ANSWER_S)
        return self._connection
