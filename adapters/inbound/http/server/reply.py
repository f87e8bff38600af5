"""One HTTP answer on its way out. It knows whether it has begun, so that a failure is written in the right form."""

from collections.abc import Awaitable, Iterable

from starlette.types import Message, Send

from adapters.inbound.http.errors.envelopes import OPENAI, Envelope
from adapters.inbound.http.errors.table import ErrorAnswer

Header = tuple[bytes, bytes]

FRAME = b"data: %b\n\n"
"""One server-sent event."""


PROTECTING: tuple[Header, ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
)
"""On every answer, so that a browser takes none for a page."""

NO_STORE: Header = (b"cache-control", b"no-store")
"""Unless an answer has its own: most hold keys or a customer's figures."""


class Reply:
    """Wraps ASGI's `send`. `is_stream` once the headers of an event stream have left; `is_over` after its last byte.

    request_id:  sent as `x-request-id` with every answer.
    envelope:    writes failures.
    for_page:    headers that a page of another origin needs (cors.py).
    """

    __slots__ = ("_for_page", "_send", "envelope", "has_begun", "is_over", "is_stream", "request_id")

    def __init__(
        self, send: Send, request_id: str, envelope: Envelope = OPENAI, for_page: tuple[Header, ...] = ()
    ) -> None:
        self._send = send
        self._for_page = for_page
        self.request_id = request_id
        self.envelope = envelope
        self.has_begun = False
        self.is_stream = False
        self.is_over = False

    def send(self, message: Message) -> Awaitable[None]:
        """For FastAPI, and for the methods below."""
        if not self.has_begun:
            self.has_begun = True
            headers = [*message["headers"], (b"x-request-id", self.request_id.encode()), *PROTECTING, *self._for_page]
            if b"cache-control" not in dict(headers):
                headers.append(NO_STORE)
            message["headers"] = headers
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

    async def fail(self, answer: ErrorAnswer, usage: bytes | None = None) -> None:
        """Send a failure: as the answer, or as the last event of a stream (no [DONE] follows). A whole answer that has
        begun is left incomplete: uvicorn then cuts the connection."""
        if not self.has_begun:
            body = self.envelope.whole(answer.status, answer.detail)
            length = b"%d" % len(body)
            headers = (b"content-type", b"application/json"), (b"content-length", length), *answer.headers
            await self.whole(answer.status, headers, body)
        elif self.is_stream and not self.is_over:
            event = self.envelope.event(answer.status, answer.detail, usage)
            await self.part(FRAME % event, is_last=True)
