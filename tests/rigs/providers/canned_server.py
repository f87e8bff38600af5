"""A real HTTP server on loopback that says the same thing to everyone and remembers what it was sent."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress

from tests.rigs.providers.http1 import requests


class CannedServer:
    def __init__(self, response: bytes) -> None:
        self.response = response
        self.requests: list[bytes] = []
        self.connections = 0
        self.base_url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer every request on the connection; an empty response closes it instead."""
        self.connections += 1
        with suppress(ConnectionError), closing(writer):  # the client may close the connection
            async for head, body in requests(reader):
                self.requests.append(head + body)
                writer.write(self.response)
                await writer.drain()
                if not self.response:
                    break


@asynccontextmanager
async def canned_server(response: bytes) -> AsyncIterator[CannedServer]:
    canned = CannedServer(response)
    server = await asyncio.start_server(canned.serve, "127.0.0.1", 0)
    canned.base_url = f"http://localhost:{server.sockets[0].getsockname()[1]}/v1"
    try:
        yield canned
    finally:
        server.close()


def http(status: str, body: bytes, content_type: str = "application/json", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"content-type: {content_type}", f"content-length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
