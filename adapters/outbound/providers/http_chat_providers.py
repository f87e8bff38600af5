"""Calls offers over HTTP. Implements application.ports.chat_providers; never retries, follows no redirect."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from time import monotonic

from adapters.outbound.providers.dialects.dialect import ChatReader
from adapters.outbound.providers.endpoint import Endpoint
from adapters.outbound.providers.failures import BrokenAnswer, ErrorClass
from adapters.outbound.providers.http1.faults import HttpFault
from adapters.outbound.providers.http1.pool import Pool
from adapters.outbound.providers.http1.response import Response
from adapters.outbound.providers.responses import (
    EVENT_STREAM,
    JSON,
    MAX_STREAM_BYTES,
    read_whole,
    require_answer,
)
from adapters.outbound.providers.route import Route, route_to
from adapters.outbound.providers.watch import Watch
from application.ports.chat_providers import ChatCall
from application.ports.provider_answer import Answer, Chunk
from domain.catalog.offer import Offer

DRAIN_S = 0.1
"""After [DONE] the body should end at once; a longer wait is not worth a reused connection."""

MAX_QUIET_S = 600.0
"""Bound on a stream of comments without a chunk: no known model thinks for ten minutes before its first output."""


class HttpChatProviders:
    """One per process. `endpoints` is ProviderCatalog.endpoints; close() when the process ends."""

    def __init__(self, endpoints: Mapping[str, Endpoint]) -> None:
        self._routes = {name: route_to(endpoint) for name, endpoint in endpoints.items()}
        self._pool = Pool()

    async def close(self) -> None:
        self._pool.close()

    async def complete(self, call: ChatCall) -> Answer:
        """The whole answer. Raises ProviderFailure; cancelling closes the connection."""
        route = self._routes[call.offer.provider]
        watch = Watch(route.endpoint)
        with watch.failures():
            response = await self._send(route, call, streaming=False)
            try:
                await response.head()
                await require_answer(response, watch, route, JSON)
                body = await read_whole(response)
            finally:
                response.close()
            return route.dialect.read_answer(body, call, route.endpoint)

    @asynccontextmanager
    async def stream(self, call: ChatCall) -> AsyncIterator[AsyncIterator[Sequence[Chunk]]]:
        """Chunks as they arrive. Raises ProviderFailure on entry and while iterating; exit closes the connection."""
        route = self._routes[call.offer.provider]
        watch = Watch(route.endpoint)
        response: Response | None = None
        try:
            with watch.failures():
                response = await self._send(route, call, streaming=True)
                await response.head()
                sent = await require_answer(response, watch, route, EVENT_STREAM, JSON)
                if sent == JSON:
                    whole = route.dialect.stream_of_answer(await read_whole(response), call, route.endpoint)
            response.disarm()
            if sent == JSON:
                yield _at_once(whole)
                return
            reader = route.dialect.read_stream(call, route.endpoint)
            async with aclosing(_chunks(response, reader, watch)) as chunks:
                yield chunks
            if reader.is_done and not response.is_complete:
                await _drain(response)
        finally:
            if response is not None:
                response.close()

    def dropped(self, offer: Offer, names: Iterable[str]) -> tuple[str, ...]:
        route = self._routes[offer.provider]
        return route.dialect.dropped(names, route.endpoint)

    async def _send(self, route: Route, call: ChatCall, *, streaming: bool) -> Response:
        body = route.dialect.write_request(call, route.endpoint, streaming=streaming)
        return await self._pool.send(
            route.origin,
            route.head_for(body),
            body,
            connect_timeout_s=route.endpoint.connect_timeout_s,
            timeout_s=call.timeout_s,
        )


async def _at_once(chunks: Sequence[Chunk]) -> AsyncIterator[Sequence[Chunk]]:
    yield chunks


async def _chunks(response: Response, reader: ChatReader, watch: Watch) -> AsyncGenerator[Sequence[Chunk]]:
    """The chunks of each part that has any. Chunks received before a failure are yielded before it is raised."""
    received, part = 0, b" "
    quiet_since_s: float | None = None
    with watch.failures():
        while part and not reader.is_done:
            part = await response.part()
            received += len(part)
            if received > MAX_STREAM_BYTES:
                raise BrokenAnswer(ErrorClass.ANSWER_TOO_LARGE)
            chunks: list[Chunk] = []  # extend keeps the chunks that a reader yielded before it raised
            try:
                chunks.extend(reader.feed(part) if part else reader.end())
            finally:
                if chunks:
                    quiet_since_s = None
                    yield chunks
            if not chunks:
                now_s = monotonic()
                quiet_since_s = now_s if quiet_since_s is None else quiet_since_s
                if now_s - quiet_since_s > MAX_QUIET_S:
                    raise BrokenAnswer(ErrorClass.TIMED_OUT)


async def _drain(response: Response) -> None:
    """Read the end of the body so that the connection can be reused; without an end in time the connection closes."""
    with suppress(TimeoutError, HttpFault):
        async with asyncio.timeout(DRAIN_S):
            while await response.part():
                pass
