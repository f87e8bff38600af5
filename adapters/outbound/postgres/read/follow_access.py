"""Follows key and account events; a cached key must not be older than the newest one (docs/reference/rules.md#keys)."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator

import psycopg

from adapters.outbound.postgres.wire.ask_server import LOST, WireConnection, integer, rows

ACCESS_POLL_S = 0.1
FRESH_S = 0.5
"""If the tail was not read for longer, it may miss a revocation: keys are then read from their streams."""

RESTS_AFTER_S = 2.0
"""Without a question for so long the tail rests: it is read seldom, and once more before the next answer."""

REST_POLL_S = 5.0
"""While it rests; never to read it would leave much to read, if other processes append."""

POLL_TIMEOUT_S = 2.0

HEAD = "SELECT position, NULL, NULL FROM ledger.head"

TAIL = """
SELECT h.position, e.notification_id, e.originator_id
FROM ledger.head h
LEFT JOIN ledger.stored_events e
       ON e.notification_id > $1::bigint AND (e.topic LIKE 'account.%' OR e.topic LIKE 'api\\_key.%')
ORDER BY 2
"""


class AccessTail:
    """Polls the tail on a connection of its own; calls `on_event(stream, position)` for each event found.

    A new connection may lead to a log that was restored to an earlier state: so the tail starts again at its head and
    calls `on_begin` before it is fresh again.

    position:   up to here this process has seen all key and account events; None before the first poll.
    started_at: position of the first poll; earlier events are never reported to `on_event`.
    """

    def __init__(self, info: str, on_event: Callable[[str, int], None], on_begin: Callable[[], None]) -> None:
        self._info = info
        self._on_event = on_event
        self._on_begin = on_begin
        self._read_at_s = float("-inf")
        self._asked_at_s = float("-inf")
        self._rest: asyncio.Future[None] | None = None  # done after the first read behind it
        self._wake_up = asyncio.Event()
        self._connection: WireConnection | None = None
        self.position: int | None = None
        self.started_at = 0

    def is_fresh(self) -> bool:
        """Ends a rest; `end_of_rest` waits for that."""
        self._asked_at_s = asyncio.get_running_loop().time()
        if self._rest is not None:
            self._wake_up.set()
        return self._asked_at_s - self._read_at_s <= FRESH_S

    async def end_of_rest(self, patience_s: float) -> None:
        """Wait until the tail was read once after a rest; no longer than `patience_s`, and not at all without one."""
        if self._rest is not None:
            self._wake_up.set()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(patience_s):
                    await asyncio.shield(self._rest)

    async def run(self) -> None:
        """Poll until cancelled."""
        try:
            while True:
                with contextlib.suppress(psycopg.Error, *LOST):
                    await self.poll()
                self._end_rest()
                await self._pause()
        finally:
            self._wake_up.set()
            self._end_rest()
            self.close()

    async def _pause(self) -> None:
        loop = asyncio.get_running_loop()
        if loop.time() - self._asked_at_s <= RESTS_AFTER_S:
            await asyncio.sleep(ACCESS_POLL_S)
            return
        if self._rest is None:
            self._wake_up.clear()
            self._rest = loop.create_future()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(REST_POLL_S):
                await self._wake_up.wait()

    def _end_rest(self) -> None:
        if self._rest is not None and self._wake_up.is_set():
            self._rest.set_result(None)
            self._rest = None

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    async def poll(self) -> None:
        """Read new events. The tail is fresh as of the query's start: the next poll reads later commits."""
        asked_at_s = asyncio.get_running_loop().time()
        if self._connection is None or self._connection.is_closed:
            self._connection = await WireConnection.open(self._info, POLL_TIMEOUT_S)
            self.position, self._read_at_s = None, float("-inf")
            self._on_begin()
        if self.position is None:
            ((head, _, _),) = rows(await self._connection.ask(HEAD, [], POLL_TIMEOUT_S))
            self.started_at = integer(head) or 0
        else:
            head = self._report(
                rows(await self._connection.ask(TAIL, [self.position.to_bytes(8, "big")], POLL_TIMEOUT_S))
            )
        self.position = integer(head) or 0
        self._read_at_s = asked_at_s

    def _report(self, found: Iterator[list[bytes | None]]) -> bytes | None:
        """Report each event; returns the head, which is in every row."""
        head: bytes | None = None
        for head, position, stream in found:  # noqa: B007 - returned
            if stream is not None:
                self._on_event(stream.decode(), integer(position) or 0)
        return head
