"""Answers that are none: broken, malformed, late, too early. Their connection is never used again."""

import asyncio
import time

import pytest

from adapters.outbound.providers.http1.faults import (
    ConnectionBroken,
    MalformedResponse,
)
from adapters.outbound.providers.http1.head import MAX_HEAD_BYTES
from adapters.outbound.providers.http1.response import MAX_INFORMATIONAL
from tests.rigs.providers.http1 import requests
from tests.rigs.providers.raw_server import answer
from tests.rigs.providers.talking import Reader, Writer, rest, saying, talking

WHOLE = answer(b"hello")
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n2\r\n !\r\n0\r\n\r\n"


@pytest.mark.parametrize(("data", "at"), [(data, at) for data in (WHOLE, CHUNKED) for at in range(len(data))], ids=str)
async def test_an_answer_that_ends_anywhere_is_broken(data: bytes, at: int) -> None:
    async with talking(saying(data[:at])) as (server, client):
        for _ in range(2):
            with pytest.raises(ConnectionBroken):
                await client.ask()
        assert server.connections == 2


INFORMATIONAL = b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n"


@pytest.mark.parametrize("number", [1, MAX_INFORMATIONAL])
@pytest.mark.parametrize("apart", [False, True])
async def test_informational_answers_are_skipped(number: int, apart: bool) -> None:
    async def talk(reader: Reader, writer: Writer, _: int) -> None:
        async for _request in requests(reader):
            for _number in range(number):
                writer.write(INFORMATIONAL)
                await asyncio.sleep(0.002 * apart)
            writer.write(WHOLE)

    async with talking(talk) as (server, client):
        assert await client.ask() == (200, b"hello")
        await rest()
        assert await client.ask() == (200, b"hello")
        assert server.connections == 1


@pytest.mark.parametrize(
    "data",
    [
        INFORMATIONAL * (MAX_INFORMATIONAL + 1) + WHOLE,
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n" + WHOLE,
        b"HTTP/1.1 200 OK\r\nx: " + b"x" * 1_000_000 + b"\r\ncontent-length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * (MAX_HEAD_BYTES // 6) + b"content-length: 5\r\n\r\nhello",
        b"x" * (MAX_HEAD_BYTES + 10),
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nx: y\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello!",
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"\x16\x03\x01\x02\x00\r\n\r\n",
        b"<html>502</html>\r\n\r\n",
    ],
    ids=lambda data: repr(data[:40]),
)
async def test_what_is_not_plain_http_is_malformed_and_its_connection_is_not_used_again(data: bytes) -> None:
    async with talking(saying(data)) as (server, client):
        for _ in range(2):
            with pytest.raises(MalformedResponse):
                await client.ask()
            await rest()
        assert server.connections == 2


@pytest.mark.parametrize("pause_s", [0.0, 0.05])
async def test_an_answer_before_the_request_is_malformed(pause_s: float) -> None:
    """The loop of the client is busy while it comes, or it is not."""

    async def talk(reader: Reader, writer: Writer, number: int) -> None:
        writer.write(answer(b"unasked"))
        async for _ in requests(reader):
            pass

    async with talking(talk) as (_, client):
        connect = client.pool._connected

        async def slow(*args: object) -> object:
            connection = await connect(*args)  # type: ignore[arg-type]
            await asyncio.sleep(pause_s)
            time.sleep(0.02)  # noqa: ASYNC251 - the loop is busy
            connection.check_silence()
            return connection

        client.pool._connected = slow  # type: ignore[method-assign, assignment]
        with pytest.raises(MalformedResponse):
            await client.ask()


async def test_one_byte_at_a_time_is_read_and_the_deadline_holds() -> None:
    async def talk(reader: Reader, writer: Writer, number: int) -> None:
        async for _, body in requests(reader):
            for byte in CHUNKED:
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(0.5 if body == b"slow" else 0)

    async with talking(talk) as (_, client):
        assert await client.ask() == (200, b"hello !")
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        with pytest.raises(TimeoutError):
            await client.ask(b"slow", timeout_s=0.3)
        assert loop.time() - began_s < 2
        assert await client.ask() == (200, b"hello !")


async def test_a_length_that_promises_less_gives_what_it_promises_and_ends_the_connection() -> None:
    lying = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello and more"
    async with talking(saying(lying)) as (server, client):
        assert await client.ask() == (200, b"hello")
        assert await client.ask() == (200, b"hello")
        assert server.connections == 2
