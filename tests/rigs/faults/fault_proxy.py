"""A TCP proxy with faults to order, between us and a server: refuse, stand still, cut, cut at a chosen message."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Literal, NamedTuple

CHUNK_BYTES = 65_536
FIN_ARRIVES_S = 0.5
"""Before the connection is reset for good: whoever was told that it ended has read that by then."""

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


How = Literal["cut", "end", "hang"]


class Spoiled(NamedTuple):
    """What happens to a connection once `after_bytes` of its reply were passed on: it is reset; it ends as if the
    server had closed it; or it stays open for ever and nothing comes any more, as from a machine that is gone."""

    after_bytes: int
    how: How


class FaultProxy:
    """Passes bytes on, unless told otherwise.

    is_standing_still:  a blackhole: connections stay open, and bytes under way arrive when it ends.
    is_refusing:        new connections are reset.
    delay_s:            each chunk is held back so long.
    swallow:            a request that contains these bytes is not passed on: its connection is cut.
    keep_reply_to:      after a request with these bytes nothing of the reply is passed on, until `cut`.
    replaced:           in each chunk of requests, the first of these by the second, which is as long.
    kept:               set when that request has been passed on.
    spoiled:            every connection ends early so, the old ones too.
    hides_ends:         that the server has closed a connection is not passed on.
    """

    def __init__(self, host: str, port: int) -> None:
        self._upstream = host, port
        self._connections: set[_Connection] = set()
        self._server: asyncio.Server | None = None
        self._moving = asyncio.Event()
        self._moving.set()
        self.is_refusing = False
        self.delay_s = 0.0
        self.swallow: bytes | None = None
        self.keep_reply_to: bytes | None = None
        self.replaced: tuple[bytes, bytes] | None = None
        self.kept = asyncio.Event()
        self.spoiled: Spoiled | None = None
        self.hides_ends = False
        self.swallowed = 0
        self.port = 0

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        self.resume()
        self.cut()
        async with asyncio.timeout(5):
            while self._connections:
                await asyncio.sleep(0.001)

    def stand_still(self) -> None:
        self._moving.clear()

    def resume(self) -> None:
        self._moving.set()

    def cut(self) -> None:
        """Reset every connection, both ends; what was to be kept back is forgotten."""
        for connection in list(self._connections):
            connection.cut()
        self.keep_reply_to = None
        self.kept.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_refusing:
            writer.transport.abort()
            return
        try:
            upstream = await asyncio.open_connection(*self._upstream)
        except OSError:
            writer.transport.abort()
            return
        connection = _Connection(self, (reader, writer), upstream)
        self._connections.add(connection)
        try:
            await connection.run()
        finally:
            self._connections.discard(connection)

    async def may_pass(self) -> None:
        if self.delay_s:
            await asyncio.sleep(self.delay_s)
        await self._moving.wait()


class _Connection:
    def __init__(self, proxy: FaultProxy, client: Stream, server: Stream) -> None:
        self._proxy = proxy
        self._client, self._server = client, server
        self._keeps_replies = False

    async def run(self) -> None:
        tasks = [asyncio.create_task(self._requests()), asyncio.create_task(self._replies())]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        self.cut()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def cut(self) -> None:
        for _, writer in (self._client, self._server):
            writer.transport.abort()

    async def _requests(self) -> None:
        seen = b""
        with contextlib.suppress(OSError):
            while chunk := await self._client[0].read(CHUNK_BYTES):
                await self._proxy.may_pass()
                seen = seen[-64:] + chunk
                if self._proxy.replaced is not None:
                    chunk = chunk.replace(*self._proxy.replaced)
                if self._proxy.swallow is not None and self._proxy.swallow in seen:
                    self._proxy.swallow = None
                    self._proxy.swallowed += 1
                    return
                is_kept = self._proxy.keep_reply_to is not None and self._proxy.keep_reply_to in seen
                self._keeps_replies = self._keeps_replies or is_kept
                self._server[1].write(chunk)
                await self._server[1].drain()
                if is_kept:
                    self._proxy.kept.set()

    async def _replies(self) -> None:
        passed = 0
        with contextlib.suppress(OSError):
            while chunk := await self._server[0].read(CHUNK_BYTES):
                await self._proxy.may_pass()
                if self._keeps_replies:
                    continue
                spoiled = self._proxy.spoiled
                if spoiled is not None:
                    chunk = chunk[: max(0, spoiled.after_bytes - passed)]
                passed += len(chunk)
                self._client[1].write(chunk)
                await self._client[1].drain()
                if spoiled is not None and passed >= spoiled.after_bytes:
                    await self._spoil(spoiled)
                    return
        if self._proxy.hides_ends:
            await asyncio.Event().wait()

    async def _spoil(self, spoiled: Spoiled) -> None:
        if spoiled.how == "hang":
            await asyncio.Event().wait()
        elif spoiled.how == "end":
            self._client[1].write_eof()
            await asyncio.sleep(FIN_ARRIVES_S)


@contextlib.asynccontextmanager
async def fault_proxy(host: str, port: int) -> AsyncIterator[FaultProxy]:
    proxy = FaultProxy(host, port)
    await proxy.start()
    try:
        yield proxy
    finally:
        await proxy.stop()
