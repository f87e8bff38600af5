"""Server-sent events to one client: keep-alive comments in silence, and a watch for the client's hang-up."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress

from starlette.types import Receive

from adapters.inbound.http.edge.connections import Connection
from adapters.inbound.http.errors.table import ErrorAnswer
from adapters.inbound.http.gateway import Limits
from adapters.inbound.http.server.reply import FRAME, Header, Reply
from application.generate.interruptible import Interruptible
from application.ports.provider_answer import NEXT_EVENT

KEEP_ALIVE = b": keep-alive\n\n"

STREAM_HEADERS: tuple[Header, ...] = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
)
"""The last one stops nginx from holding events back."""


class StreamReply:
    """Made and used by one task. It runs from the start: a model may think for minutes before its first output.

    The timer is set again only when it fires, so that an event costs only one reading of the clock. If even the first
    event takes longer than `keep_alive_s`, the headers leave without it, and a failure is then sent as an event. If a
    client hangs up, or does not take what it is sent, it is gone: `when_gone`'s function is called, and nothing more is
    sent.
    """

    def __init__(
        self,
        reply: Reply,
        receive: Receive,
        connection: Connection | None,
        limits: Limits,
        elapsed_s: Callable[[], float],
    ) -> None:
        """connection: tells when the client hangs up, without a task that waits for it; None under another server."""
        self._reply = reply
        self._keep_alive_s = limits.keep_alive_s
        self._stall_s = limits.stall_s
        self._elapsed_s = elapsed_s
        self._loop = asyncio.get_running_loop()
        self._sent_s = elapsed_s()
        self._sending = Interruptible()
        self._gone_s: float | None = None
        self._on_gone: Callable[[float], None] | None = None
        self._comment: asyncio.Task[None] | None = None
        self._timer = self._loop.call_later(self._keep_alive_s, self._look)
        self._connection = connection
        self._watcher: asyncio.Task[None] | None = None
        if connection is None:
            self._watcher = self._loop.create_task(self._watch(receive))
        elif connection.is_lost:
            self._gone()
        else:
            connection.on_lost = self._gone

    def when_gone(self, call: Callable[[float], None]) -> None:
        """`call` gets the Clock's `elapsed_s` when the client went, even if before now; it replaces an earlier one."""
        self._on_gone = call
        if self._gone_s is not None:
            call(self._gone_s)

    async def open(self, headers: Iterable[Header]) -> None:
        if not self._reply.has_begun:
            await self._reply.open_stream((*STREAM_HEADERS, *headers))

    def send(self, batch: Sequence[bytes], *, is_last: bool = False) -> Awaitable[None]:
        """Events with JSON as their data, in one piece; nothing is sent to a client that has gone."""
        return self._send(FRAME % NEXT_EVENT.join(batch), is_last=is_last)

    async def fail(self, answer: ErrorAnswer, usage: bytes | None) -> None:
        """End the stream with an error; nothing is sent to a client that has gone."""
        if self._gone_s is None:
            await self._reply.fail(answer, usage)

    async def close(self) -> None:
        """End the answer, unless its last event has done so."""
        self.stop()
        if not self._reply.is_over:
            await self._send(b"", is_last=True)

    def stop(self) -> None:
        self._timer.cancel()
        if self._watcher is not None:
            self._watcher.cancel()
        if self._connection is not None:
            self._connection.on_lost = None
            self._connection = None  # the next request on it may have its own
        if self._comment is not None:
            self._comment.cancel()

    async def _send(self, body: bytes, *, is_last: bool) -> None:
        if self._gone_s is not None:
            return
        self._sent_s = self._elapsed_s()
        self._sending.is_under_way = True
        try:
            await self._reply.part(body, is_last=is_last)
        except asyncio.CancelledError:
            if not self._sending.was_interrupted():
                raise  # else only this send is given up, not the stream
        finally:
            self._sending.is_under_way = False

    def _look(self) -> None:
        """Find the cause of the silence: nothing to send, or a client that does not take what was sent."""
        if self._gone_s is not None:
            return
        silent_s = self._elapsed_s() - self._sent_s
        if self._sending.is_under_way and silent_s >= self._stall_s:
            self._gone()
            self._sending.interrupt()
            return
        if not self._sending.is_under_way and silent_s >= self._keep_alive_s:
            silent_s = 0.0
            self._sent_s = self._elapsed_s()
            self._comment = self._loop.create_task(self._keep_alive())
        self._timer = self._loop.call_later(self._keep_alive_s - silent_s % self._keep_alive_s, self._look)

    async def _keep_alive(self) -> None:
        await self.open(())
        if not self._reply.is_over:
            await self._reply.part(KEEP_ALIVE)

    async def _watch(self, receive: Receive) -> None:
        """Ends with the connection, or with the answer: uvicorn then sends the same message, which does no harm.

        If the task ended as cancelled, it would keep its traceback, and with it the whole stream.
        """
        with suppress(asyncio.CancelledError):
            while (await receive())["type"] != "http.disconnect":
                continue
            self._gone()

    def _gone(self) -> None:
        if self._gone_s is None:
            self._gone_s = self._elapsed_s()
            if self._on_gone is not None:
                self._on_gone(self._gone_s)
