"""uvicorn with our shutdown: requests during the drain get a 503, and no accepted connection is dropped."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from adapters.inbound.http.edge.protocol import Edge, EdgeProtocol
from adapters.resting_server import RestingServer
from adapters.supervisor.close_port import SPEAKS_WITHIN_S

POLL_S = 0.05


class DrainingServer(RestingServer):
    """`should_exit` starts the shutdown.

    edge:       shared by all connections.
    under_way:  the number of running requests; the server waits for them for at most `drain_s`.
    """

    def __init__(self, config: uvicorn.Config, edge: Edge, under_way: Callable[[], int], drain_s: float) -> None:
        super().__init__(config)
        config.load()
        config.http_protocol_class = cast("type[asyncio.Protocol]", partial(EdgeProtocol, edge=edge))
        self._under_way = under_way
        self._drain_s = drain_s

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Disables uvicorn's signal handlers, which would end the process before the ledger has written its queue."""
        yield

    async def main_loop(self) -> None:
        """Keeps the port open while requests finish: a 503 lets clients retry, a closed port would fail them."""
        await super().main_loop()
        deadline_s = asyncio.get_running_loop().time() + self._drain_s
        await _until(lambda: not self._under_way(), deadline_s)
        self.config.timeout_graceful_shutdown = round(max(0.0, deadline_s - asyncio.get_running_loop().time()))

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept no more: who waits in the backlog is for another process, at last for the supervisor."""
        for server in self.servers:
            server.close()
        await asyncio.sleep(POLL_S)  # an accepted connection counts a few turns later
        await _until(lambda: not any(map(_is_silent, self.server_state.connections)), _in(SPEAKS_WITHIN_S))
        await super().shutdown(sockets)


def _is_silent(connection: object) -> bool:
    """Whether the connection has not sent the head of a request yet."""
    return isinstance(connection, HttpToolsProtocol) and connection.cycle is None


def _in(seconds: float) -> float:
    return asyncio.get_running_loop().time() + seconds


async def _until(holds: Callable[[], bool], deadline_s: float) -> None:
    while not holds() and asyncio.get_running_loop().time() < deadline_s:  # noqa: ASYNC110 - runs once per process
        await asyncio.sleep(POLL_S)
