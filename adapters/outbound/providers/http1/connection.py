"""One connection: it carries one request at a time and is used again only if its last answer left no doubt."""

import asyncio
import select
import ssl
from collections.abc import Callable
from typing import cast

from adapters.outbound.providers.http1.faults import ConnectionBroken, HttpFault, MalformedResponse
from adapters.outbound.providers.http1.response import Response

JOIN_BELOW_BYTES = 64 * 1024
"""Head and body up to this size are sent as one piece; a larger body is not copied."""

_NOT_QUIET = select.POLLIN | select.POLLRDHUP


class HttpConnection(asyncio.Protocol):
    """on_free: called when it may be used again. on_lost: called once, when it ended."""

    def __init__(
        self, on_free: Callable[["HttpConnection"], None], on_lost: Callable[["HttpConnection"], None]
    ) -> None:
        self.idle_since_s = 0.0
        self._loop = asyncio.get_running_loop()
        self._on_free = on_free
        self._on_lost = on_lost
        self._response: Response | None = None
        self._is_open = False
        self._why_closed: HttpFault = ConnectionBroken("closed before the request")
        self._poll = select.poll()

    def send(self, head: bytes, body: bytes, deadline_s: float) -> Response:
        """Send a request on a connection that is idle."""
        response = Response(self._loop, deadline_s, self._answered, self._set_paused)
        if not self._is_open:
            response.fail(self._why_closed)
            return response
        self._response = response
        if len(body) <= JOIN_BELOW_BYTES:
            self._transport.write(head + body)
        else:
            self._transport.writelines((head, body))
        return response

    def is_quiet(self) -> bool:
        """Whether the peer neither closed it nor sent anything since the last answer, also nothing still unread."""
        return self._is_open and not self._poll.poll(0)

    def check_silence(self) -> None:
        """Close a new connection whose peer spoke first, also if that is unread. Not for TLS: it sends tickets."""
        events = self._poll.poll(0)
        if events and not events[0][1] & select.POLLRDHUP:
            self._refuse_stray()

    def tls_session(self) -> ssl.SSLSession | None:
        """To resume. With TLS 1.3 it is there after the first answer."""
        ssl_object = self._transport.get_extra_info("ssl_object")
        return ssl_object.session if ssl_object is not None else None

    def close(self) -> None:
        self._is_open = False
        self._transport.abort()

    # ---- called by the event loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none of its subclasses
        self._poll.register(transport.get_extra_info("socket").fileno(), _NOT_QUIET)
        self._is_open = True

    def data_received(self, data: bytes) -> None:
        if self._response is None:
            self._refuse_stray()
        else:
            self._response.feed(data)

    def eof_received(self) -> None:
        self._is_open = False
        if self._response is not None:
            self._response.end()

    def connection_lost(self, error: Exception | None) -> None:
        self._is_open = False
        if self._response is not None:
            self._response.end(error or ConnectionBroken("the connection was lost"))
        self._on_lost(self)

    def _refuse_stray(self) -> None:
        self._why_closed = MalformedResponse("an answer before the request")
        self.close()

    # ---- called by the response

    def _answered(self) -> None:
        response, self._response = self._response, None
        if (
            response is not None
            and response.is_reusable
            and self._is_open
            and self._transport.get_write_buffer_size() == 0
        ):
            self._on_free(self)
        else:
            self.close()

    def _set_paused(self, paused: bool) -> None:
        if self._is_open:
            if paused:
                self._transport.pause_reading()
            else:
                self._transport.resume_reading()
