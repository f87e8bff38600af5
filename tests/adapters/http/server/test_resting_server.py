"""A server that nothing is asked of sleeps; the Date of a response is right all the same, and it stops at once."""

import asyncio
import socket
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime

import httpx
import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from adapters.resting_server import DatedHeaders, RestingServer
from tests.adapters.http.served import Served

A_WHILE_S = 2.5
MAX_AGE_S = 1.5
"""A Date has whole seconds, and the answer takes a moment."""


async def answer(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["path"] == "/slow":
        await asyncio.sleep(A_WHILE_S)
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@pytest.fixture
def resting() -> Iterator[Served]:
    """Not the one that other tests share: their connections would wake it, and it may be stopped."""
    server = Served()
    server.app = answer
    yield server
    server.stop()


def age_s(date: str) -> float:
    return time.time() - parsedate_to_datetime(date).timestamp()


def test_it_does_not_wake_while_nothing_is_asked(resting: Served) -> None:
    httpx.get(resting.url)
    time.sleep(0.5)
    before = resting.wake_ups
    time.sleep(2)
    assert resting.wake_ups - before <= 4, "uvicorn wakes ten times a second"


def test_a_response_has_the_date_at_which_it_is_sent(resting: Served) -> None:
    with httpx.Client(base_url=resting.url) as client:
        assert 0 <= age_s(client.get("/").headers["date"]) < MAX_AGE_S
        time.sleep(A_WHILE_S)
        assert 0 <= age_s(client.get("/").headers["date"]) < MAX_AGE_S, "after a rest"
        assert 0 <= age_s(client.get("/slow").headers["date"]) < MAX_AGE_S, "after a long wait for its head"


def test_a_refusal_of_the_protocol_has_its_date(resting: Served) -> None:
    time.sleep(A_WHILE_S)
    with resting.connect() as connection:
        connection.sendall(b"nonsense\r\n\r\n")
        head = connection.recv(10_000).decode()
    (date,) = [line.removeprefix("date: ") for line in head.splitlines() if line.startswith("date: ")]
    assert 0 <= age_s(date) < MAX_AGE_S


def test_the_date_is_made_once_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    headers, own = DatedHeaders([(b"server", b"x")]), [(b"a", b"b")]
    monkeypatch.setattr(time, "time", lambda: 784_111_777.9)
    first = headers + own
    assert first == [(b"date", b"Sun, 06 Nov 1994 08:49:37 GMT"), (b"server", b"x"), *own]
    assert (headers + own)[0][1] is first[0][1]
    monkeypatch.setattr(time, "time", lambda: 784_111_778.0)
    assert [*headers] == [(b"date", b"Sun, 06 Nov 1994 08:49:38 GMT"), (b"server", b"x")]


def test_another_thread_stops_it_at_once(resting: Served) -> None:
    httpx.get(resting.url)
    time.sleep(0.5)
    began_s = time.monotonic()
    resting.stop()
    assert not resting.is_running
    assert time.monotonic() - began_s < 1.0


def test_one_that_is_stopped_before_it_has_begun_ends() -> None:
    class Hasty(RestingServer):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            self.should_exit = True

    hasty = Hasty(uvicorn.Config(answer, lifespan="off", log_level="critical"))
    with socket.create_server(("127.0.0.1", 0)) as sock:
        asyncio.run(asyncio.wait_for(hasty.serve([sock]), 5))
