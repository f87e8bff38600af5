"""How an answer is written: in how few writes, in which form, and what is refused before a byte of it leaves."""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from typing import Any, cast

import pytest
from starlette.types import Message, Receive, Scope, Send
from uvicorn._types import HTTPScope
from uvicorn.protocols.http.flow_control import FlowControl

from adapters.inbound.http.edge.cycle import Cycle, HeldFlow
from adapters.inbound.http.edge.write_head import write_head
from adapters.inbound.http.server.at_once import AtOnce
from tests.adapters.http.raw import READ, answer_of, everything
from tests.adapters.http.served import Served

GET = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
LENGTH_5 = (b"content-length", b"5")


class Transport:
    """Keeps what is written, a write an item."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self.is_closed = False

    def write(self, written: bytes) -> None:
        self.writes.append(written)

    def is_closing(self) -> bool:
        return self.is_closed

    def close(self) -> None:
        self.is_closed = True

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


class Exchange:
    """One cycle whose request has come whole."""

    def __init__(self, method: str = "GET", *, keep_alive: bool = True) -> None:
        self.transport = Transport()
        self.flow: FlowControl = HeldFlow(cast("asyncio.Transport", self.transport), lambda: False)
        self.ended = 0
        self.cycle = Cycle(
            scope=cast("HTTPScope", {"method": method}),
            transport=cast("asyncio.Transport", self.transport),
            flow=self.flow,
            logger=logging.getLogger(__name__),
            access_logger=logging.getLogger(__name__),
            access_log=False,
            default_headers=[(b"date", b"today")],
            message_event=asyncio.Event(),
            expect_100_continue=False,
            keep_alive=keep_alive,
            on_response=self._end,
        )
        self.cycle.more_body = False
        self.cycle.message_event.set()

    @property
    def writes(self) -> list[bytes]:
        return self.transport.writes

    def _end(self) -> None:
        self.ended += 1

    async def start(self, *fields: tuple[bytes, bytes], status: int = 200) -> None:
        await self.cycle.send({"type": "http.response.start", "status": status, "headers": fields})

    async def part(self, body: bytes, *, more: bool = False) -> None:
        await self.cycle.send({"type": "http.response.body", "body": body, "more_body": more})


def in_loop(test: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    def run() -> None:
        asyncio.run(test())

    run.__name__, run.__doc__ = test.__name__, test.__doc__
    return run


@in_loop
async def test_a_whole_answer_is_one_write() -> None:
    answering = Exchange()
    await answering.start((b"content-type", b"text/plain"), LENGTH_5)
    assert answering.writes == []
    await answering.part(b"hello")
    await asyncio.sleep(0)
    assert answering.writes == [
        b"HTTP/1.1 200 OK\r\ndate: today\r\ncontent-type: text/plain\r\ncontent-length: 5\r\n\r\nhello"
    ]
    assert answering.ended == 1
    assert not answering.transport.is_closed


@in_loop
async def test_the_head_of_a_stream_leaves_with_its_first_part() -> None:
    streaming = Exchange()
    await streaming.start()
    await streaming.part(b"a" * 17, more=True)
    await streaming.part(b"", more=True)
    await streaming.part(b"b")
    await asyncio.sleep(0)
    head = b"HTTP/1.1 200 OK\r\ndate: today\r\ntransfer-encoding: chunked\r\n\r\n"
    assert streaming.writes == [head + b"11\r\n" + b"a" * 17 + b"\r\n", b"", b"1\r\nb\r\n0\r\n\r\n"]


@in_loop
async def test_the_head_of_a_stream_without_a_part_leaves_all_the_same_and_once() -> None:
    streaming = Exchange()
    await streaming.start()
    await asyncio.sleep(0)
    assert len(streaming.writes) == 1
    assert streaming.writes[0].endswith(b"chunked\r\n\r\n")
    await streaming.part(b"", more=False)
    assert streaming.writes[1:] == [b"0\r\n\r\n"]


@in_loop
async def test_nothing_is_written_to_a_client_that_left_with_the_head_unsent() -> None:
    streaming = Exchange()
    await streaming.start()
    streaming.cycle.disconnected = True
    await asyncio.sleep(0)
    await streaming.part(b"a", more=True)
    assert streaming.writes == []


@pytest.mark.parametrize("body", [b"hell", b"hello!", b""])
def test_a_body_that_is_not_as_long_as_its_head_says_is_not_sent(body: bytes) -> None:
    @in_loop
    async def run() -> None:
        answering = Exchange()
        await answering.start(LENGTH_5)
        with pytest.raises(RuntimeError, match="not as long"):
            await answering.part(body)
        assert answering.writes == []
        assert not answering.cycle.response_complete

    run()


@in_loop
async def test_parts_are_counted_together() -> None:
    answering = Exchange()
    await answering.start(LENGTH_5)
    await answering.part(b"hel", more=True)
    with pytest.raises(RuntimeError, match="not as long"):
        await answering.part(b"lo!")
    assert answering.writes[1:] == []


@in_loop
async def test_messages_out_of_order_are_refused() -> None:
    answering = Exchange()
    with pytest.raises(RuntimeError, match="out of order"):
        await answering.part(b"hello")
    await answering.start(LENGTH_5)
    with pytest.raises(RuntimeError, match="out of order"):
        await answering.start(LENGTH_5)
    await answering.part(b"hello")
    with pytest.raises(RuntimeError, match="after the end"):
        await answering.part(b"more")
    assert len(answering.writes) == 1


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 304)])
def test_an_answer_without_a_body_has_no_framing_and_no_body(method: str, status: int) -> None:
    @in_loop
    async def run() -> None:
        answering = Exchange(method)
        await answering.start(status=status)
        await answering.part(b"left out" if method == "HEAD" else b"")
        (written,) = answering.writes
        assert written.endswith(b"\r\n\r\n")
        assert b"chunked" not in written
        assert answering.ended == 1

    run()


@in_loop
async def test_the_head_of_a_HEAD_keeps_the_length_of_the_body_that_is_left_out() -> None:
    answering = Exchange("HEAD")
    await answering.start(LENGTH_5)
    await answering.part(b"hello")
    assert answering.writes == [b"HTTP/1.1 200 OK\r\ndate: today\r\ncontent-length: 5\r\n\r\n"]


@in_loop
async def test_a_last_answer_says_so_and_closes_behind_itself() -> None:
    asked_to_close, closing = Exchange(keep_alive=False), Exchange()
    await asked_to_close.start(LENGTH_5)
    await closing.start(LENGTH_5, (b"connection", b"close"))
    for one in (asked_to_close, closing):
        await one.part(b"hello")
        assert one.writes[0].count(b"connection: close\r\n") == 1
        assert one.transport.is_closed


@in_loop
async def test_a_send_waits_while_the_client_does_not_take_what_was_sent() -> None:
    streaming = Exchange()
    await streaming.start()
    streaming.flow.pause_writing()
    sending = asyncio.ensure_future(streaming.part(b"a", more=True))
    await asyncio.sleep(0.01)
    assert not sending.done()
    streaming.flow.resume_writing()
    await sending
    assert streaming.writes[-1].endswith(b"1\r\na\r\n")


@in_loop
async def test_a_body_that_is_there_takes_no_turn_of_the_loop_and_is_given_once() -> None:
    asking = Exchange()
    asking.cycle.body += b"{}"
    first = asking.cycle.receive()
    assert isinstance(first, AtOnce)
    assert first.message == {"type": "http.request", "body": b"{}", "more_body": False}
    leaving = asyncio.ensure_future(_awaited(asking.cycle.receive()))
    await asyncio.sleep(0)
    assert not leaving.done()
    asking.cycle.disconnected = True
    asking.cycle.message_event.set()
    assert await leaving == {"type": "http.disconnect"}


async def _awaited(message: Any) -> Message:
    return cast("Message", await message)


@pytest.mark.parametrize("value", [b"a\r\nx-evil: 1", b"a\nb", b"a\rb", b"a\0", b"\x0b", b"\x7f", b"a\r\n", b"\x1f"])
def test_a_value_cannot_end_its_field(value: bytes) -> None:
    with pytest.raises(RuntimeError, match="control character"):
        write_head(200, [(b"x-dropped", value), LENGTH_5])
    with pytest.raises(RuntimeError, match="control character"):
        write_head(200, [(b"x-" + value, b"a")])


@pytest.mark.parametrize("value", [b"", b"a\tb", b"\xc3\xa4", bytes(range(0x20, 0x7F)), bytes(range(0x80, 0x100))])
def test_any_other_value_is_written_as_it_is(value: bytes) -> None:
    assert write_head(204, [(b"x-a", value)]) == b"HTTP/1.1 204 No Content\r\nx-a: " + value + b"\r\n\r\n"


def test_of_an_answer_with_a_line_end_in_a_field_no_byte_leaves(served: Served) -> None:
    async def injected(scope: Scope, receive: Receive, send: Send) -> None:
        evil = (b"x-dropped", b"a\r\nset-cookie: a=b\r\n\r\n<html>")
        await send({"type": "http.response.start", "status": 200, "headers": [evil, LENGTH_5]})
        await send({"type": "http.response.body", "body": b"hello"})

    served.app = injected
    with served.connect() as connection:
        connection.sendall(GET)
        assert everything(connection) == b""


def test_pipelined_answers_come_in_order_each_whole(served: Served) -> None:
    async def by_path(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(0.02 if scope["path"] == "/0" else 0)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": scope["path"].encode()})

    served.app = by_path
    with served.connect() as connection:
        connection.sendall(b"".join(GET.replace(b"/ ", b"/%d " % n) for n in range(6)))
        received = b""
        while received.count(b"HTTP/1.1 200") < 6 or not received.endswith(b"/5"):
            received += connection.recv(READ)
    assert [answer_of(b"HTTP/1.1" + one).body for one in received.split(b"HTTP/1.1")[1:]] == [
        b"/%d" % n for n in range(6)
    ]


def test_a_slow_reader_is_waited_for_and_gets_every_byte(served: Served) -> None:
    parts, sent = 1_000, 0

    async def long(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal sent
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for sent in range(parts):
            await send({"type": "http.response.body", "body": b"%5d" % sent * 4_000, "more_body": sent + 1 < parts})

    served.app = long
    with served.connect() as connection:
        connection.sendall(GET.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n"))
        time.sleep(0.3)
        assert sent < parts - 1, "a stream of 20 MB is held in memory for a client that reads nothing"
        body = answer_of(everything(connection)).body
    assert body.endswith(b"0\r\n\r\n")
    assert len(body) == parts * (len(b"4e20\r\n\r\n") + 20_000) + len(b"0\r\n\r\n")
