"""A pool of our HTTP client, and a server that does what a test says."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeAlias

from adapters.outbound.providers.http1 import pool as pool_module
from adapters.outbound.providers.http1.origin import Origin
from adapters.outbound.providers.http1.pool import Pool
from tests.rigs.providers.http1 import requests
from tests.rigs.providers.raw_server import RawServer, Talk, raw_server

Reader: TypeAlias = asyncio.StreamReader
Writer: TypeAlias = asyncio.StreamWriter


class Client:
    def __init__(self, url: str) -> None:
        self.pool, self.origin = Pool(), Origin(url)

    async def ask(self, body: bytes = b"q", timeout_s: float = 5.0) -> tuple[int, bytes]:
        head = b"POST %s HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % (self.origin.target.encode(), len(body))
        response = await self.pool.send(self.origin, head, body, connect_timeout_s=5, timeout_s=timeout_s)
        try:
            await response.head()
            return response.status, await response.whole(1_000_000)
        finally:
            response.close()


@asynccontextmanager
async def talking(talk: Talk) -> AsyncIterator[tuple[RawServer, Client]]:
    async with raw_server(talk) as server:
        client = Client(server.url)
        try:
            yield server, client
        finally:
            client.pool.close()


def saying(data: bytes) -> Talk:
    """Each request gets `data`, and the connection is closed then."""

    async def talk(reader: Reader, writer: Writer, number: int) -> None:
        async for _ in requests(reader):
            writer.write(data)
            await writer.drain()
            return

    return talk


async def rest() -> None:
    """As long as a connection rests before it is used again, and a little more."""
    await asyncio.sleep(pool_module.REST_S * 1.5)
