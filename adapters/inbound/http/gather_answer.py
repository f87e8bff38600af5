"""Answers for HTTP/1.0, which knows no chunks: one of unknown length is gathered and sent whole (RFC 9112, 6.1).

The server below would chunk it all the same. Whoever wants a stream as it comes speaks HTTP/1.1.
"""

from starlette.types import Message, Send


class Gather:
    """ASGI's `send` for one answer. Bounded like the provider's stream that it comes from."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Message | None = None
        self._parts: list[bytes] = []

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and b"content-length" not in dict(message["headers"]):
            self._start = message
        elif self._start is None:
            await self._send(message)
        else:
            self._parts.append(message.get("body", b""))
            if not message.get("more_body"):
                await self._send_whole(self._start)

    async def _send_whole(self, start: Message) -> None:
        body = b"".join(self._parts)
        await self._send({**start, "headers": [*start["headers"], (b"content-length", b"%d" % len(body))]})
        await self._send({"type": "http.response.body", "body": body})
