"""The response to one request, as its bytes come in."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from adapters.outbound.providers.http1.body import Body
from adapters.outbound.providers.http1.faults import ConnectionBroken, HttpFault, MalformedResponse, ResponseTooLarge
from adapters.outbound.providers.http1.head import HEAD_END, MAX_HEAD_BYTES, ResponseHead, read_head

MAX_INFORMATIONAL = 8
"""1xx responses that are skipped before the final one."""

HIGH_WATER_BYTES: Final = 256 * 1024
"""Received and not taken yet: beyond it the peer has to wait."""


class Response:
    """Not for use by two tasks. `status` and `headers` (names in lower case) are there after `head`.

    A task that is cancelled while it waits must `close` it: the connection then ends, unless the body is complete.
    """

    __slots__ = (
        "_body",
        "_buffer",
        "_fault",
        "_informational",
        "_is_complete",
        "_is_paused",
        "_loop",
        "_on_end",
        "_parts",
        "_set_paused",
        "_size",
        "_timer",
        "_waiter",
        "headers",
        "is_reusable",
        "status",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        deadline_s: float,
        on_end: Callable[[], None],
        set_paused: Callable[[bool], None],
    ) -> None:
        """deadline_s: in the loop's time. on_end: called once, when nothing more is expected of the connection."""
        self.status = 0
        self.headers: Mapping[bytes, bytes] = {}
        self.is_reusable = False
        self._loop = loop
        self._on_end = on_end
        self._set_paused = set_paused
        self._buffer = b""
        self._body: Body | None = None
        self._parts: list[bytes] = []
        self._size = 0
        self._informational = 0
        self._is_complete = self._is_paused = False
        self._fault: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._timer = loop.call_at(deadline_s, self.fail, TimeoutError("the answer did not come in time"))

    # ---- for the caller

    async def head(self) -> None:
        """Wait for status and headers. Raises: HttpFault, TimeoutError."""
        while self._body is None and self._fault is None:
            await self._wait()
        if self._body is None and self._fault is not None:
            raise self._fault

    @property
    def is_complete(self) -> bool:
        """Whether no more is to come: of what was received, `part` may still have some."""
        return self._is_complete

    def disarm(self) -> None:
        """The deadline no longer holds."""
        self._timer.cancel()

    async def part(self) -> bytes:
        """What came of the body since the last call, waiting for some; b"" at its end. Raises: HttpFault, TimeoutError.

        What was received before a fault is given out before the fault is raised.
        """
        while not self._parts:
            if self._fault is not None:
                raise self._fault
            if self._is_complete:
                return b""
            await self._wait()
        data = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        self._parts.clear()
        self._size = 0
        if self._is_paused:
            self._is_paused = False
            self._set_paused(False)
        return data

    async def whole(self, limit: int) -> bytes:
        """The rest of the body. Raises: HttpFault, TimeoutError."""
        found = await self.part()
        if len(found) <= limit and self._is_complete and not self._parts:
            return found
        parts, size = [found], len(found)
        while size <= limit and (found := await self.part()):
            parts.append(found)
            size += len(found)
        if size > limit:
            raise ResponseTooLarge(size)
        return b"".join(parts)

    def close(self) -> None:
        """The caller wants no more. Without effect after the end of the body."""
        if not self._is_complete:
            self.fail(ConnectionBroken("closed by us"))

    # ---- for the connection

    def feed(self, data: bytes) -> None:
        if self._is_complete:
            return
        try:
            if self._body is None:
                data = self._feed_head(data)
                if self._body is None:
                    return
            body = self._body
            part = body.feed(data)
        except HttpFault as fault:
            self.fail(fault)
            return
        if part:
            self._parts.append(part)
            self._size += len(part)
        if body.is_done:
            self.is_reusable = self.is_reusable and not body.excess
            self._complete()
        elif self._size > HIGH_WATER_BYTES and not self._is_paused:
            self._is_paused = True
            self._set_paused(True)
        self._wake()

    def end(self, fault: Exception | None = None) -> None:
        """The peer sends no more, or the connection is lost for the reason `fault`."""
        if self._is_complete:
            return
        if self._body is None:
            self.fail(ConnectionBroken(str(fault or "closed before an answer")))
            return
        try:
            self._body.end()
        except ConnectionBroken as broken:
            self.fail(broken)
            return
        if fault is not None:
            self.fail(ConnectionBroken(str(fault)))
            return
        self._complete()
        self._wake()

    def fail(self, fault: Exception) -> None:
        if self._is_complete:
            return
        self._fault = fault
        self.is_reusable = False
        self._complete()
        self._wake()

    def _feed_head(self, data: bytes) -> bytes:
        """Read the head once it is complete, skip informational ones; what is behind it. Raises: MalformedResponse."""
        data = self._buffer + data if self._buffer else data
        while True:
            end = data.find(HEAD_END, 0, MAX_HEAD_BYTES)
            if end < 0:
                if len(data) >= MAX_HEAD_BYTES:
                    raise MalformedResponse(f"a head of more than {MAX_HEAD_BYTES} bytes")
                self._buffer = data
                return b""
            end += len(HEAD_END)
            head = read_head(data[:end])
            data = data[end:]
            if head.status >= 200:
                break
            self._informational += 1
            if self._informational > MAX_INFORMATIONAL:
                raise MalformedResponse(f"more than {MAX_INFORMATIONAL} informational responses")
            if not data:
                self._buffer = b""
                return b""
        self._take(head)
        return data

    def _take(self, head: ResponseHead) -> None:
        self.status, self.headers, self._body, self.is_reusable = head
        self._buffer = b""

    def _complete(self) -> None:
        self._is_complete = True
        self._timer.cancel()
        if self._is_paused:  # the next request on this connection must be heard
            self._is_paused = False
            self._set_paused(False)
        self._on_end()

    async def _wait(self) -> None:
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)
