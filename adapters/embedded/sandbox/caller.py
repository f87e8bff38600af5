"""The client of one ASGI request: read its body, write to it, notice its disconnection."""

import asyncio
from collections.abc import Iterable

from starlette.types import Receive, Send

MAX_BODY_BYTES = 64 * 1024 * 1024
"""Twice what the gateway accepts."""


class CallerLeft(Exception):
    """The client closed the connection."""


class SandboxCaller:
    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send

    async def body(self) -> bytes:
        received = bytearray()
        while len(received) <= MAX_BODY_BYTES:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise CallerLeft
            received += message.get("body", b"")
            if not message.get("more_body"):
                break
        return bytes(received)

    async def pause(self, delay_s: float) -> None:
        """Wait; raises CallerLeft if the client disconnects. Call it only after the body was read."""
        if not delay_s:
            return
        try:
            await asyncio.wait_for(self._receive(), delay_s)
        except TimeoutError:
            return
        raise CallerLeft

    async def start(self, status: int, content_type: bytes, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
        sent = [(b"content-type", content_type), *headers]
        await self._send({"type": "http.response.start", "status": status, "headers": sent})

    async def write(self, part: bytes) -> None:
        await self._send({"type": "http.response.body", "body": part, "more_body": True})

    async def end(self, part: bytes = b"") -> None:
        await self._send({"type": "http.response.body", "body": part})

    async def answer(
        self, status: int, content_type: bytes, body: bytes, headers: Iterable[tuple[bytes, bytes]] = ()
    ) -> None:
        await self.start(status, content_type, (*headers, (b"content-length", str(len(body)).encode())))
        await self.end(body)
