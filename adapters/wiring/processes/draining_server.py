"""uvicorn, ended in our way: who comes while it drains is told 503, and no connection is accepted and then dropped."""

import asyncio
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from adapters.inbound.http.edge.protocol import Edge, EdgeProtocol

MAX_WAITING = 2_048
"""As many connections as the port's backlog holds."""

SPEAKS_WITHIN_S = 1.0
"""A client that has just connected gets this long to say what it wants, and be told that we are stopping."""

POLL_S = 0.05


class DrainingServer(uvicorn.Server):
    """`should_exit` begins the end.

    edge:       what its connections share.
    under_way:  how many requests must be let end, for at most `drain_s`.
    """

    def __init__(self, config: uvicorn.Config, edge: Edge, under_way: Callable[[], int], drain_s: float) -> None:
        super().__init__(config)
        config.load()
        config.http_protocol_class = cast("type[asyncio.Protocol]", partial(EdgeProtocol, edge=edge))
        self._under_way = under_way
        self._drain_s = drain_s

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are ours: uvicorn's would end the process before the ledger has written what is queued."""
        yield

    async def main_loop(self) -> None:
        """The port stays open while requests end: a closed one would fail clients that a 503 tells to come back."""
        await super().main_loop()
        deadline_s = asyncio.get_running_loop().time() + self._drain_s
        await _until(lambda: not self._under_way(), deadline_s)
        self.config.timeout_graceful_shutdown = round(max(0.0, deadline_s - asyncio.get_running_loop().time()))

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._take_in_who_waits(sockets or [])
        await _until(lambda: not any(map(_is_silent, self.server_state.connections)), _in(SPEAKS_WITHIN_S))
        await super().shutdown(sockets)

    async def _take_in_who_waits(self, sockets: Sequence[socket.socket]) -> None:
        """Close the port; who had connected but was not accepted yet would be reset if nobody else has it open."""
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
    """It has not sent the head of a request yet."""
    return isinstance(connection, HttpToolsProtocol) and connection.cycle is None


def _in(seconds: float) -> float:
    return asyncio.get_running_loop().time() + seconds


async def _until(holds: Callable[[], bool], deadline_s: float) -> None:
    while not holds() and asyncio.get_running_loop().time() < deadline_s:  # noqa: ASYNC110 - once in a process's life
        await asyncio.sleep(POLL_S)
