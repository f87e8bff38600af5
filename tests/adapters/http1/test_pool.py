"""Requests to servers that do everything wrong: never a wrong body, never a request that is sent twice."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable

import pytest

from adapters.outbound.providers.http1 import pool as pool_module
from adapters.outbound.providers.http1.faults import (
    ConnectFailed,
    ConnectionBroken,
    MalformedResponse,
    ResponseTooLarge,
)
from adapters.outbound.providers.http1.origin import Origin
from adapters.outbound.providers.http1.pool import Pool
from adapters.outbound.providers.http1.response import HIGH_WATER_BYTES
from tests.rigs.providers.http1 import requests
from tests.rigs.providers.raw_server import answer
from tests.rigs.providers.talking import Client, Reader, Writer, rest, saying, talking


async def echo(reader: Reader, writer: Writer, number: int) -> None:
    async for _, body in requests(reader):
        writer.write(answer(b"a" + body))


# ---- connections that are used again


async def test_a_connection_is_used_again_after_its_rest() -> None:
    async with talking(echo) as (server, client):
        for number in range(20):
            assert await client.ask(b"%d" % number) == (200, b"a%d" % number)
            await rest()
        assert server.connections == 1


async def test_without_its_rest_it_is_not() -> None:
    async with talking(echo) as (server, client):
        for _ in range(3):
            await client.ask()
        assert server.connections > 1


async def test_requests_at_once_have_a_connection_each_and_those_are_kept() -> None:
    async with talking(echo) as (server, client):
        for _ in range(3):
            bodies = [b"%d" % number for number in range(20)]
            assert await asyncio.gather(*map(client.ask, bodies)) == [(200, b"a" + body) for body in bodies]
            await rest()
        assert server.connections == 20


async def test_an_idle_connection_is_closed_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_module, "KEEPALIVE_S", 0.1)
    ended = asyncio.Event()

    async def talk(reader: Reader, writer: Writer, number: int) -> None:
        await echo(reader, writer, number)
        ended.set()

    async with talking(talk) as (server, client):
        await client.ask()
        await asyncio.sleep(0.05)
        assert not ended.is_set()
        await asyncio.wait_for(ended.wait(), 2)
        await client.ask()
        assert server.connections == 2


ENDS = ("closes", "says so", "resets", "one more in the same write", "one more right behind", "cuts", "cuts a chunk")


@pytest.mark.parametrize("end", ENDS)
async def test_servers_that_end_after_a_few_answers_never_give_a_wrong_body_nor_get_a_request_twice(end: str) -> None:
    """One of 1 to 5 answers on a connection is the last, and is followed or broken off by `end`."""
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    asked: Counter[bytes] = Counter()

    async def talk(reader: Reader, writer: Writer, number: int) -> None:
        left = rng.randint(1, 5)
        async for _, body in requests(reader):
            asked[body] += 1
            left -= 1
            if left:
                writer.write(answer(b"a" + body))
                continue
            await last_answer(writer, b"a" + body, end)
            return

    async with talking(talk) as (_, client):
        outcomes: Counter[str] = Counter()

        async def ask_some(first: int) -> None:
            for number in range(first, first + 60):
                body = b"%d " % number + b"x" * rng.randint(0, 50)
                try:
                    assert await client.ask(body) == (200, b"a" + body)
                    outcomes["answered"] += 1
                except (ConnectionBroken, MalformedResponse) as fault:
                    outcomes[type(fault).__name__] += 1
                if rng.random() < 0.5:
                    await rest()

        await asyncio.gather(*(ask_some(1_000 * caller) for caller in range(8)))
        print(end, dict(outcomes))
        assert max(asked.values()) == 1
        assert sum(outcomes.values()) == 480
        if not end.startswith("cuts"):
            assert outcomes["answered"] >= 470


async def last_answer(writer: Writer, body: bytes, end: str) -> None:
    stray = answer(b"somebody else's")
    match end:
        case "closes":
            writer.write(answer(body))
        case "says so":
            writer.write(answer(body, b"connection: close"))
        case "resets":
            writer.write(answer(body))
            await writer.drain()
            writer.transport.abort()
        case "one more in the same write":
            writer.write(answer(body) + stray)
            await asyncio.sleep(0.05)
        case "one more right behind":
            writer.write(answer(body))
            writer.write(stray)
            await asyncio.sleep(0.05)
        case "cuts":
            writer.write(answer(body)[:-1])
        case "cuts a chunk":
            writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n%x\r\n%s" % (len(body) + 1, body))


async def test_a_stray_answer_on_an_idle_connection_closes_it() -> None:
    async def talk(reader: Reader, writer: Writer, number: int) -> None:
        async for _, body in requests(reader):
            writer.write(answer(b"a" + body))
            await asyncio.sleep(0.02)
            writer.write(answer(b"stray"))

    async with talking(talk) as (server, client):
        for number in range(5):
            assert await client.ask(b"%d" % number) == (200, b"a%d" % number)
            await asyncio.sleep(0.05)
        assert server.connections == 5


# ---- bounds


async def test_a_body_that_is_too_large_is_given_up() -> None:
    async with talking(saying(answer(b"x" * 1_000_001))) as (_, client):
        with pytest.raises(ResponseTooLarge):
            await client.ask()


@pytest.mark.parametrize("framing", [b"content-length: 100000000", b"transfer-encoding: chunked"])
async def test_a_peer_that_sends_faster_than_is_taken_has_to_wait(framing: bytes) -> None:
    sent = 0

    async def talk(reader: Reader, writer: Writer, number: int) -> None:
        nonlocal sent
        async for _ in requests(reader):
            writer.write(b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n\r\n")
            block = b"x" * 65_536
            for _ in range(1_500):
                writer.write(block if framing.startswith(b"content") else b"10000\r\n" + block + b"\r\n")
                await writer.drain()
                sent += len(block)

    async with talking(talk) as (_, client):
        head = b"POST / HTTP/1.1\r\ncontent-length: 0\r\n\r\n"
        response = await client.pool.send(client.origin, head, b"", connect_timeout_s=5, timeout_s=60)
        await response.head()
        await asyncio.sleep(0.3)
        in_kernels = 16_000_000
        assert sent < HIGH_WATER_BYTES + in_kernels
        taken = 0
        while taken < 60_000_000:
            taken += len(await response.part())
        response.close()


async def test_a_full_pool_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_module, "MAX_CONNECTIONS_PER_ORIGIN", 3)
    go_on = asyncio.Event()

    async def talk(reader: Reader, writer: Writer, number: int) -> None:
        async for _ in requests(reader):
            await go_on.wait()
            writer.write(answer(b"hello"))

    async with talking(talk) as (_, client):
        tasks = [asyncio.create_task(client.ask()) for _ in range(5)]
        await asyncio.wait(tasks, return_when="FIRST_EXCEPTION")
        await asyncio.sleep(0.05)
        go_on.set()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert [isinstance(one, ConnectFailed) for one in outcomes].count(True) == 2
        assert outcomes.count((200, b"hello")) == 3
        await rest()
        assert await client.ask() == (200, b"hello")


async def test_a_large_body_is_sent_whole_and_an_early_refusal_is_heard() -> None:
    async def talk(reader: Reader, writer: Writer, number: int) -> None:
        if number:
            await echo(reader, writer, number)
            return
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer(b"too large", b"connection: close", status=b"413 Content Too Large"))
        await writer.drain()
        await asyncio.sleep(0.2)

    async with talking(talk) as (server, client):
        body = b"x" * 8_000_000
        assert await client.ask(body) == (413, b"too large")
        assert (await client.ask(body[:900_000]))[1] == b"a" + body[:900_000]
        assert server.connections == 2


# ---- leaving


@pytest.mark.parametrize("give_up", ["cancel", "deadline", "close"])
async def test_who_gives_up_ends_the_connection_and_the_next_is_not_disturbed(give_up: str) -> None:
    closed = asyncio.Event()

    async def talk(reader: Reader, writer: Writer, number: int) -> None:
        if number:
            await echo(reader, writer, number)
        elif await anext(aiter(requests(reader))):
            await reader.read()
            closed.set()

    async with talking(talk) as (server, client):
        if give_up == "close":
            head = b"POST / HTTP/1.1\r\ncontent-length: 0\r\n\r\n"
            response = await client.pool.send(client.origin, head, b"", connect_timeout_s=5, timeout_s=60)
            response.close()
            with pytest.raises(ConnectionBroken):
                await response.head()
        else:
            task = asyncio.create_task(client.ask(timeout_s=0.1 if give_up == "deadline" else 60))
            await asyncio.sleep(0.05)
            if give_up == "cancel":
                task.cancel()
            with pytest.raises((asyncio.CancelledError, TimeoutError)):
                await task
        await asyncio.wait_for(closed.wait(), 2)
        assert await client.ask(b"next") == (200, b"anext")
        assert server.connections == 2


async def test_a_deadline_in_the_middle_of_a_body_ends_the_connection() -> None:
    async def talk(reader: Reader, writer: Writer, number: int) -> None:
        if number:
            await echo(reader, writer, number)
        async for _ in requests(reader):
            writer.write(answer(b"hello")[:-2])
            await asyncio.sleep(0.4)
            writer.write(b"lo")

    async with talking(talk) as (server, client):
        with pytest.raises(TimeoutError):
            await client.ask(timeout_s=0.1)
        await rest()
        assert await client.ask(b"next") == (200, b"anext")
        assert server.connections == 2


async def test_what_came_before_a_break_is_given_out_first() -> None:
    started = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n"
    async with talking(saying(started)) as (_, client):
        head = b"POST / HTTP/1.1\r\ncontent-length: 0\r\n\r\n"
        response = await client.pool.send(client.origin, head, b"", connect_timeout_s=5, timeout_s=5)
        await response.head()
        await asyncio.sleep(0.05)
        assert await response.part() == b"hello"
        with pytest.raises(ConnectionBroken):
            await response.part()


@pytest.mark.parametrize("url", ["http://localhost:1/", "http://no-such-host.invalid/", "http://[::1]:1/"])
async def test_where_nobody_listens_nothing_is_sent(url: str) -> None:
    with pytest.raises(ConnectFailed):
        await Client(url).ask()


async def test_a_connection_that_is_not_made_in_time_is_a_failed_one(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_: object) -> Callable[[], None]:
        await asyncio.sleep(60)
        raise AssertionError

    monkeypatch.setattr(pool_module, "addresses_of", never)
    pool = Pool()
    origin = Origin("http://localhost:1/")
    with pytest.raises(ConnectFailed):
        await pool.send(origin, b"", b"", connect_timeout_s=0.05, timeout_s=5)
    with pytest.raises(TimeoutError):
        await pool.send(origin, b"", b"", connect_timeout_s=5, timeout_s=0.05)
