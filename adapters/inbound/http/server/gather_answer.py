"""Answers for HTTP/1.0, which has no chunks: one of unknown length is gathered and sent whole (RFC 9112, 6.1).

uvicorn would chunk it all the same. A stream that is sent as it comes needs HTTP/1.1.
"""

from starlette.types import Message, Send

from adapters.inbound.http.errors.envelopes import Envelope
from adapters.inbound.http.errors.table import answer_to
from domain.errors import DomainError

MAX_GATHERED_BYTES = 8 * 1024 * 1024
"""Some 25,000 tokens at 300 bytes an event. Only answers for HTTP/1.0 are held whole."""


class Gather:
    """ASGI's `send` for one answer. An answer that is too large becomes a 505 and is dropped; its charge stands."""

    def __init__(self, send: Send, envelope: Envelope) -> None:
        self._send = send
        self._envelope = envelope
        self._start: Message | None = None
        self._parts: list[bytes] = []
        self._size = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and b"content-length" not in dict(message["headers"]):
            self._start = message
        elif self._start is None:
            await self._send(message)
        elif self._size <= MAX_GATHERED_BYTES:
            await self._gather(self._start, message)

    async def _gather(self, start: Message, message: Message) -> None:
        part = message.get("body", b"")
        self._size += len(part)
        self._parts.append(part)
        if self._size > MAX_GATHERED_BYTES:
            self._parts.clear()
            await self._refuse(start)
        elif not message.get("more_body"):
            await self._send_whole(start, b"".join(self._parts))

    async def _refuse(self, start: Message) -> None:
        facts = {"generation_id": header.decode()} if (header := dict(start["headers"]).get(b"x-generation-id")) else {}
        answer = answer_to(DomainError("stream_too_large_for_http_1_0", limit_bytes=MAX_GATHERED_BYTES, **facts))
        request_id = [(name, value) for name, value in start["headers"] if name == b"x-request-id"]
        headers = [(b"content-type", b"application/json"), *answer.headers, *request_id]
        body = self._envelope.whole(answer.status, answer.detail)
        await self._send_whole({**start, "status": answer.status, "headers": headers}, body)

    async def _send_whole(self, start: Message, body: bytes) -> None:
        await self._send({**start, "headers": [*start["headers"], (b"content-length", b"%d" % len(body))]})
        await self._send({"type": "http.response.body", "body": body})
