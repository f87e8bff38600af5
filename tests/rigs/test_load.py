"""What the load generator counts, beside a server with the habits of real ones: no soak may fail, or pass, by it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from tests.rigs.load import arrive, drive
from tests.rigs.loop_beside import loop_beside

REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
RATE_PER_S = 20.0
CONNECTIONS = 4


class Habits:
    """A server that closes every connection between two requests, or one instead of answering.

    closes_after, breaks: which request (from 1) that is.
    """

    def __init__(self, closes_after: int = 0, breaks: int = 0) -> None:
        self._closes_after, self._breaks = closes_after, breaks
        self._writers = set[asyncio.StreamWriter]()
        self._asked = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        while await _has_asked(reader):
            self._asked += 1
            if self._asked == self._breaks:
                break
            writer.write(OK)
            if self._asked == self._closes_after:
                asyncio.get_running_loop().call_later(0.5 / RATE_PER_S, self._close_all)
        self._writers.discard(writer)
        writer.close()

    def _close_all(self) -> None:
        for writer in self._writers:
            writer.close()


async def _has_asked(reader: asyncio.StreamReader) -> bool:
    try:
        return bool(await reader.readuntil(b"\r\n\r\n"))
    except asyncio.IncompleteReadError:
        return False


@contextmanager
def served(serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]) -> Iterator[int]:
    """`serve` on a port of its own, until what it began has ended."""

    async def end() -> None:
        server.close()
        await server.wait_closed()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        if tasks:
            await asyncio.wait(tasks, timeout=5)

    with loop_beside() as loop:
        server = loop.do(asyncio.start_server(serve, "127.0.0.1", 0))
        yield server.sockets[0].getsockname()[1]
        loop.do(end())


def test_connections_that_the_server_closes_while_idle_are_replaced() -> None:
    with served(Habits(closes_after=5).serve) as port:
        load = arrive(port, [REQUEST], RATE_PER_S, seconds=1, connections=CONNECTIONS)
    assert (load.requests, load.errors, load.dropped) == (20, 0, 0)


def test_a_request_whose_connection_ends_without_an_answer_is_an_error() -> None:
    for run in (
        lambda port: arrive(port, [REQUEST], RATE_PER_S, seconds=1, connections=CONNECTIONS),
        lambda port: drive(port, [REQUEST], 20, CONNECTIONS),
    ):
        with served(Habits(breaks=15).serve) as port:
            load = run(port)
        assert (load.requests, load.errors) == (19, 1)
