"""One request and its answer: uvicorn's cycle, with our own way to write."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import cast

from starlette.types import Message
from uvicorn.protocols.http.flow_control import CLOSE_HEADER, FlowControl
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from adapters.inbound.http.edge.bounds import LINGER_S
from adapters.inbound.http.edge.write_head import write_head
from adapters.inbound.http.server.at_once import AtOnce

_CHUNKED = (b"transfer-encoding", b"chunked")
_LAST_CHUNK = b"0\r\n\r\n"
_WITHOUT_BODY = (204, 304)


class Cycle(RequestResponseCycle):
    """A head is written together with the first part of its body: a write costs the kernel more than us the whole head.

    If the length is not known, the head leaves after one turn of the event loop, even without a part: the client of a
    slow stream must see that it was accepted.
    """

    _head = b""  # made, but not written yet

    # ---- the request

    def receive(self) -> Awaitable[Message]:  # type: ignore[override]  # uvicorn has types of its own
        """Send no `100 Continue` once the request is over: our side of the connection may have ended."""
        if self.disconnected or self.response_complete:
            return AtOnce({"type": "http.disconnect"})
        if self.waiting_for_100_continue and not self.transport.is_closing():
            self.waiting_for_100_continue = False
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self.flow.resume_reading()
        return AtOnce(self._received()) if self.message_event.is_set() else self._receive_later()

    async def _receive_later(self) -> Message:
        await self.message_event.wait()
        return self._received()

    def _received(self) -> Message:
        self.message_event.clear()
        if self.disconnected or self.response_complete:
            return {"type": "http.disconnect"}
        body, self.body = bytes(self.body), bytearray()
        return {"type": "http.request", "body": body, "more_body": self.more_body}

    # ---- the answer

    async def send(self, message: Message) -> None:  # type: ignore[override]
        """Raises: RuntimeError for messages out of order, or a body that is not as long as its head says."""
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if self.disconnected:
            return
        if self.response_complete:
            raise RuntimeError(f"{message['type']} after the end of the answer")
        if message["type"] != ("http.response.body" if self.response_started else "http.response.start"):
            raise RuntimeError(f"{message['type']} out of order")
        if self.response_started:
            self._send_part(message)
        else:
            self._start(message)

    def _start(self, message: Message) -> None:
        if self.more_body and not self.transport.is_closing():
            self._make_last()
        self.response_started = True
        self.waiting_for_100_continue = False
        status = message["status"]
        fields = [*self.default_headers, *message.get("headers", ())]
        sent = dict(fields)
        if b"content-length" in sent:
            self.expected_content_length = int(sent[b"content-length"])
        elif status not in _WITHOUT_BODY and self.scope["method"] != "HEAD":
            self.chunked_encoding = True
            fields.append(_CHUNKED)
            asyncio.get_running_loop().call_soon(self._send_head)
        if sent.get(b"connection") == b"close":
            self.keep_alive = False
        elif not self.keep_alive:
            fields.append(CLOSE_HEADER)
        self._head = write_head(status, fields)

    def _make_last(self) -> None:
        """An answer before the body's end is the connection's last: the rest of the body is not read, and a client that
        waited for `100 Continue` might send another request in its place."""
        self.keep_alive = False
        cast("HeldFlow", self.flow).pause_for_good()
        self.transport = cast("asyncio.Transport", _Lingering(self.transport))

    def _send_head(self) -> None:
        head, self._head = self._head, b""
        if head and not self.disconnected and not self.transport.is_closing():
            self.transport.write(head)

    def _send_part(self, message: Message) -> None:
        body, is_last = message.get("body", b""), not message.get("more_body", False)
        if self.scope["method"] == "HEAD":
            body = b""
        elif self.chunked_encoding:
            body = _chunk(body, is_last=is_last)
        else:
            self._count(len(body), is_last=is_last)
        head, self._head = self._head, b""
        self.transport.write(head + body)
        if is_last:
            self.response_complete = True
            self.message_event.set()
            if not self.keep_alive:
                self.transport.close()
            self.on_response()

    def _count(self, size: int, *, is_last: bool) -> None:
        self.expected_content_length -= size
        if self.expected_content_length < 0 or (is_last and self.expected_content_length):
            raise RuntimeError("the body is not as long as its head says")


def _chunk(body: bytes, *, is_last: bool) -> bytes:
    """An empty chunk would end the body."""
    end = _LAST_CHUNK if is_last else b""
    return b"%x\r\n%b\r\n%b" % (len(body), body, end) if body else end


class _Lingering:
    """A transport with a `close` that leaves the client time to read."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self.write = transport.write
        self.is_closing = transport.is_closing

    def close(self) -> None:
        close_softly(self._transport, asyncio.get_running_loop())


class HeldFlow(FlowControl):
    """Reading stays paused while `has_waiting`: uvicorn would resume it when one request ends, or reads its body."""

    def __init__(self, transport: asyncio.Transport, has_waiting: Callable[[], bool]) -> None:
        super().__init__(transport)
        self.has_waiting = has_waiting

    def pause_for_good(self) -> None:
        self.has_waiting = _it_waits
        self.pause_reading()

    def resume_reading(self) -> None:
        if self.read_paused and not self.has_waiting():
            super().resume_reading()


def close_softly(transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
    """Send the end of the stream at once, close LINGER_S later."""
    if transport.can_write_eof():
        transport.write_eof()
    loop.call_later(LINGER_S, transport.close)


def _it_waits() -> bool:
    return True
