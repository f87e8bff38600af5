"""uvicorn with our shutdown: requests during the drain get a 503, and no accepted connection is dropped."""

import asyncio
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from adapters.inbound.http.edge.protocol import Edge, EdgeProtocol
from adapters.resting_server import RestingServer

MAX_WAITING = 2_048
"""The size of the port's backlog."""

SPEAKS_WITHIN_S = 1.0
"""A new connection has this long to send a request and get its 503."""

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
        await self._accept_backlog(sockets or [])
        await _until(lambda: not any(map(_is_silent, self.server_state.connections)), _in(SPEAKS_WITHIN_S))
        await super().shutdown(sockets)

    async def _accept_backlog(self, sockets: Sequence[socket.socket]) -> None:
        """Close the port. Closing the last copy of the socket resets the backlog, so accept that first."""
        ports = [sock.dup() for sock in sockets]
        for server in self.servers:
            server.close()
        waiting = [connection for port in ports for connection in _accept_all(port)]
        for port in ports:
            port.close()
        for connection in waiting:
            await asyncio.get_running_loop().connect_accepted_socket(self._protocol, connection)

    def _protocol(self) -> asyncio.Protocol:
        make = cast("Callable[..., asyncio.Protocol]", self.config.http_protocol_class)
        return make(self.config, self.server_state, self.lifespan.state)


def _accept_all(port: socket.socket) -> Iterator[socket.socket]:
    port.setblocking(False)
    for _ in range(MAX_WAITING):
        try:
            connection, _ = port.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        connection.setblocking(False)
        yield connection


def _is_silent(connection: object) -> bool:
    """Whether the connection has not sent the head of a request yet."""
    return isinstance(connection, HttpToolsProtocol) and connection.cycle is None


def _in(seconds: float) -> float:
    return asyncio.get_running_loop().time() + seconds


async def _until(holds: Callable[[], bool], deadline_s: float) -> None:
    while not holds() and asyncio.get_running_loop().time() < deadline_s:  # noqa: ASYNC110 - runs once per process
        await asyncio.sleep(POLL_S)
