"""One HTTP answer on its way out: knows whether it has begun, so that a failure can still be told in the right form."""

from collections.abc import Awaitable, Iterable

from starlette.types import Message, Send

from adapters.inbound.http.errors import ErrorAnswer

Header = tuple[bytes, bytes]

FRAME = b"data: %b\n\n"
"""One server-sent event."""


class Reply:
    """Wraps ASGI's `send`. `is_stream` once the headers of an event stream have left; `is_over` after its last byte."""

    __slots__ = ("_send", "has_begun", "is_over", "is_stream")

    def __init__(self, send: Send) -> None:
        self._send = send
        self.has_begun = False
        self.is_stream = False
        self.is_over = False

    def send(self, message: Message) -> Awaitable[None]:
        """For FastAPI, and for the methods below."""
        self.has_begun = True
        return self._send(message)

    async def whole(self, status: int, headers: Iterable[Header], body: bytes) -> None:
        await self.send({"type": "http.response.start", "status": status, "headers": headers})
        await self.send({"type": "http.response.body", "body": body})

    async def open_stream(self, headers: Iterable[Header]) -> None:
        self.is_stream = True
        await self.send({"type": "http.response.start", "status": 200, "headers": headers})

    def part(self, body: bytes, *, is_last: bool = False) -> Awaitable[None]:
        self.is_over = self.is_over or is_last
        return self.send({"type": "http.response.body", "body": body, "more_body": not is_last})

    async def fail(self, answer: ErrorAnswer) -> None:
        """Tell of a failure: as the answer, as the last event of a stream (no [DONE] follows), or, if a whole answer
        has begun, by leaving it incomplete: the server then cuts the connection."""
        if not self.has_begun:
            await self.whole(answer.status, answer.headers, answer.body)
        elif self.is_stream and not self.is_over:
            await self.part(FRAME % answer.body, is_last=True)
