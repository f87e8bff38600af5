"""uvicorn's HTTP/1.1 protocol with bounds: on a head, on pipelined requests, on silence.

The parser (httptools) collects a field in time that grows with the square of its length, and makes a request for every
head that it is fed; so it gets at most one head at a time, and never one that is too large.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from typing import cast
from urllib.parse import unquote

import httptools
from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from adapters.inbound.http.edge.bounds import (
    CHUNKED_STEP,
    HEAD_TIMEOUT_S,
    MAX_FIELDS,
    MAX_HEAD_BYTES,
    MAX_HELD_BYTES,
    MAX_PIPELINED,
)
from adapters.inbound.http.edge.connections import KNOWN_BY, Connection, Connections
from adapters.inbound.http.edge.cycle import Cycle, HeldFlow, close_softly
from adapters.inbound.http.edge.refusal_bytes import refusal_bytes
from application.ports.telemetry import Refusal
from domain.errors import DomainError

HEAD_END = b"\r\n\r\n"


class Edge:
    """What the connections of one process share.

    refused:         called for each request that is refused before it reaches a route.
    connections:     of this process, with their bounds.
    head_timeout_s:  as HEAD_TIMEOUT_S; tests shorten it.
    held_bytes:      bytes read and not parsed yet, of all connections.
    """

    def __init__(
        self, refused: Callable[[Refusal], None], connections: Connections, head_timeout_s: float = HEAD_TIMEOUT_S
    ) -> None:
        self.refused = refused
        self.connections = connections
        self.head_timeout_s = head_timeout_s
        self.held_bytes = 0


class EdgeProtocol(HttpToolsProtocol):
    """One connection. Bytes that were read stay in `_rest` until the parser may have them."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, object],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        edge: Edge,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._edge = edge
        self._rest = b""
        self._tail = b""  # the parser's last bytes: a head's end may be split between two reads
        self._head_bytes = 0  # of the head being read; in a body: bytes since its last part that are not body
        self._in_body = False
        self._is_raw = False  # the body of a request that asks for an upgrade: the parser does not read it
        self._body_left: int | None = 0  # None: chunked
        self._fields = 0
        self._hosts = 0
        self._refusal: DomainError | None = None
        self._last_words: bytes | None = None
        self._connection: Connection | None = None
        self._is_over = False
        self._unanswered: deque[RequestResponseCycle] = deque()
        self._deadline: asyncio.TimerHandle | None = None
        self._idle_since_s: float | None = None  # None: a head is coming, or a request is answered

    # ---- the connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.flow = HeldFlow(transport, self._has_waiting)
        self._await_head()
        self._connection = self._edge.connections.open(self.client[0] if self.client else "", transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._connection is not None:
            self._connection.lost()
        self._hold(b"")
        self._cancel_deadline()
        self._unset_keepalive_if_required()
        for cycle in self._unanswered:  # uvicorn informs only the last: the one writing would fail
            cycle.disconnected = True
            cycle.message_event.set()
        self._unanswered.clear()
        self.pipeline.clear()
        super().connection_lost(exc)
        if isinstance(self.flow, HeldFlow):
            self.flow.has_waiting = _nothing_waits  # else this object would live until a garbage collection

    def data_received(self, data: bytes) -> None:
        if not self._is_over:
            self._parse(self._rest + data if self._rest else data)

    def on_response_complete(self) -> None:
        self._unanswered.popleft()
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        else:
            self._await_next()
        if self._rest and not self.transport.is_closing():
            self._parse(self._rest)
        if self._last_words is not None and not self._unanswered:
            self._say_last(self._last_words)
        if not self.transport.is_closing():
            self.flow.resume_reading()

    def _await_next(self) -> None:
        """The connection is idle. A timer for each request would cost more than one that looks again if it was used."""
        self._idle_since_s = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._look_in(self.timeout_keep_alive)

    def _look_in(self, wait_s: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(wait_s, self._end_if_idle)

    def _end_if_idle(self) -> None:
        self.timeout_keep_alive_task = None
        if self._idle_since_s is None:
            return  # `_await_next` follows the answer
        left_s = self._idle_since_s + self.timeout_keep_alive - self.loop.time()
        if left_s > 0:
            self._look_in(left_s)
        elif not self.transport.is_closing():
            self.transport.close()

    # ---- bytes to the parser, a head at a time

    def _parse(self, data: bytes) -> None:
        self._idle_since_s = None
        view, start = memoryview(data), 0
        while start < len(data) and not self._is_over and not self.transport.is_closing():
            if len(self.pipeline) >= MAX_PIPELINED and not self._in_body:
                break
            end = self._end_of_step(data, start)
            if end is None:
                self._refuse(_too_large())
                break
            self._feed(view[start:end])
            start = end
        self._hold(data[start:] if not self._is_over else b"")
        if self._head_bytes and not self._in_body and not self._rest:
            self._await_head()

    def _end_of_step(self, data: bytes, start: int) -> int | None:
        """End of what the parser gets of `data` next: a head, or a piece of a body. None: the head is too large."""
        if self._in_body:
            return min(len(data), start + (CHUNKED_STEP if self._body_left is None else max(1, self._body_left)))
        end = self._end_of_head(data, start)
        return end if self._head_bytes + end - start <= MAX_HEAD_BYTES else None

    def _end_of_head(self, data: bytes, start: int) -> int:
        across = (self._tail + data[start : start + len(HEAD_END) - 1]).find(HEAD_END)
        if across >= 0:
            return start + across + len(HEAD_END) - len(self._tail)
        found = data.find(HEAD_END, start)
        return len(data) if found < 0 else found + len(HEAD_END)

    def _feed(self, piece: memoryview) -> None:
        self._head_bytes += len(piece)
        self._tail = bytes(piece[1 - len(HEAD_END) :])
        try:
            if self._is_raw:
                self._take_raw(bytes(piece))
            else:
                self.parser.feed_data(piece)
        except httptools.HttpParserUpgrade:
            pass  # only HTTP is served: the upgrade is ignored and the request answered
        except httptools.HttpParserError:
            self._refuse(self._refusal or DomainError("invalid_http"))
        if self._in_body and self._head_bytes > MAX_HEAD_BYTES and not self._is_over:
            self._refuse(DomainError("invalid_http"))

    def _take_raw(self, piece: bytes) -> None:
        self.on_body(piece)
        if not self._body_left:
            self._is_raw = False
            self.on_message_complete()

    def _hold(self, rest: bytes) -> None:
        """Keep what may not be parsed yet, with reading paused; close if all connections together keep too much."""
        self._edge.held_bytes += len(rest) - len(self._rest)
        self._rest = rest
        if rest:
            self.flow.pause_reading()
            if self._edge.held_bytes > MAX_HELD_BYTES:
                self.transport.abort()

    def _has_waiting(self) -> bool:
        return bool(self.pipeline or self._rest or self._is_over)

    # ---- what the parser finds

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._fields = self._hosts = 0
        self._body_left = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        self._fields += 1
        if self._fields > MAX_FIELDS:
            raise self._wrong(_too_large())
        if self._in_body:
            return  # a trailer: no code reads one, and among the headers it would pass for one of them
        name, value = name.lower(), value.strip(b" \t")
        if name == b"host":
            self._hosts += 1
        elif name == b"content-length":
            self._body_left = int(value)
        elif name == b"transfer-encoding":
            self._body_left = None
        elif name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        version = self.parser.get_http_version()
        if self._hosts > 1 or (self._hosts == 0 and version != "1.0"):
            raise self._wrong(DomainError("invalid_host"))
        if self._body_left is None and self.parser.should_upgrade():
            raise self._wrong(DomainError("invalid_http"))  # the parser does not report the end of such a body
        self._describe(version)
        self._head_bytes = 0
        self._cancel_deadline()
        self._in_body = True  # from here on a refusal concerns this request, no longer its head
        self._answer_in_turn(version)

    def _describe(self, version: str) -> None:
        """Raises, to end the parse, if the target or the method cannot be read."""
        scope = cast("dict[str, object]", self.scope)
        scope["method"] = self.parser.get_method().decode("ascii")
        scope["http_version"] = version
        url = httptools.parse_url(self.url)
        raw_path = url.path or b""
        path = raw_path.decode("ascii")
        scope["path"] = unquote(path) if "%" in path else path
        scope["raw_path"] = raw_path
        scope["query_string"] = url.query or b""
        scope["extensions"] = {KNOWN_BY: self._connection}

    def on_body(self, body: bytes) -> None:
        self._head_bytes = 0
        if self._body_left is not None:
            self._body_left -= len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        if self._body_left and self.parser.should_upgrade() and not self.cycle.body:
            self._is_raw = True
            return
        self._in_body = False
        self._head_bytes = 0
        super().on_message_complete()

    def _answer_in_turn(self, version: str) -> None:
        before = self.cycle
        self.cycle = Cycle(
            scope=self.scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=self.access_log,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue,
            keep_alive=version != "1.0" and self.parser.should_keep_alive(),
            on_response=self.on_response_complete,
        )
        self._unanswered.append(self.cycle)
        if before is None or before.response_complete:
            self._start_asgi_task(self.cycle, self.app)
        elif len(self.pipeline) > MAX_PIPELINED:
            raise self._wrong(DomainError("invalid_http"))  # behind a chunked body, where no head's end can be seen
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, self.app))

    # ---- refusals

    def _wrong(self, refusal: DomainError) -> DomainError:
        """For a callback of the parser to raise: it ends the parse."""
        self._refusal = refusal
        return refusal

    def _refuse(self, refusal: DomainError) -> None:
        """Make this the connection's last answer; it waits for the answers before it."""
        self._is_over = True
        self._cancel_deadline()
        self.flow.pause_reading()
        if self._in_body and not self._withdraw(self.cycle):
            self.transport.abort()
            return
        self._last_words = self._written(refusal)
        if not self._unanswered:
            self._say_last(self._last_words)

    def _withdraw(self, cycle: RequestResponseCycle) -> bool:
        """Drop a request with an unreadable body, if its answer has not begun: the refusal takes the answer's place."""
        if cycle.response_started:
            return False
        cycle.disconnected = True
        cycle.message_event.set()
        with contextlib.suppress(ValueError):
            self.pipeline.remove((cycle, self.app))
        self._unanswered.remove(cycle)
        return True

    def _written(self, refusal: DomainError) -> bytes:
        written = refusal_bytes(refusal, self.server_state.default_headers)
        self._edge.refused(written.refusal)
        return written.whole

    def _say_last(self, words: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(words)
            close_softly(self.transport, self.loop)

    def _await_head(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(self._edge.head_timeout_s, self._head_is_late)

    def _head_is_late(self) -> None:
        self._deadline = None
        if self._head_bytes and not self.transport.is_closing():
            self._refuse(DomainError("head_timeout", limit_s=self._edge.head_timeout_s))
        else:
            self.transport.close()  # nothing was sent: browsers open such connections ahead of need

    def _cancel_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def _too_large() -> DomainError:
    return DomainError("head_too_large", limit_bytes=MAX_HEAD_BYTES, limit_fields=MAX_FIELDS)


def _nothing_waits() -> bool:
    return False
