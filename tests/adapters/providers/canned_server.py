"""A real HTTP server on loopback that says the same thing to everyone and remembers what it was sent."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class CannedServer:
    def __init__(self, response: bytes) -> None:
        self.response = response
        self.requests: list[bytes] = []
        self.connections = 0
        self.base_url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer every request on the connection; an empty response closes it instead."""
        self.connections += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line[:15] == b"content-length:")
                self.requests.append(head + await reader.readexactly(length))
                writer.write(self.response)
                await writer.drain()
                if not self.response:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client closed the connection
        finally:
            writer.close()


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
