"""A server on a loopback port in a thread, serving whichever application a test puts in, through the product's own
protocol."""

import asyncio
import socket
import threading
from typing import cast

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from adapters.inbound.http.edge.addresses import Addresses
from adapters.inbound.http.edge.connections import Connections
from adapters.inbound.http.edge.protocol import Edge, EdgeProtocol
from adapters.wiring.processes.draining_server import DrainingServer
from application.ports.telemetry import Refusal
from tests.rigs.processes import wake_ups


class Served:
    """refusals: what was refused before the application saw it."""

    def __init__(self) -> None:
        self.app: ASGIApp | None = None
        self.refusals: list[Refusal] = []
        self.edge = Edge(self.refusals.append, Connections(limit=8_192, per_address=512, addresses=Addresses()))
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=2_048)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        config = uvicorn.Config(self._serve, interface="asgi3", lifespan="off", log_level="critical", ws="none")
        self._server = DrainingServer(config, self.edge, under_way=lambda: 0, drain_s=2)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._socket.getsockname()[1])

    def connect(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    @property
    def wake_ups(self) -> int:
        """How often its thread has slept and woken so far."""
        assert self._thread.native_id is not None
        return wake_ups(self._thread.native_id)

    def protocols(self) -> list[EdgeProtocol]:
        """Of the connections that are open."""
        return [cast("EdgeProtocol", one) for one in tuple(self._server.server_state.connections)]

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(5)
        self._socket.close()

    @property
    def is_running(self) -> bool:
        return self._thread.is_alive()

    def _run(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._socket]))

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.app is not None
        await self.app(scope, receive, send)
