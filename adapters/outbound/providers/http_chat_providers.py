"""Calls offers over HTTP. Implements application.ports.chat_providers; never retries, follows no redirect."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
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
from adapters.outbound.providers.watch import UNREADABLE, Watch
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
        with watch:
            response = await self._send(route, call, streaming=False)
            try:
                await response.head()
                await require_answer(response, watch, route, JSON)
                body = await read_whole(response)
            finally:
                response.close()
            return route.dialect.read_answer(body, call, route.endpoint)

    async def stream(self, call: ChatCall) -> "ChunksOfBody | ChunksAtOnce":
        """Raises ProviderFailure."""
        route = self._routes[call.offer.provider]
        watch = Watch(route.endpoint)
        response: Response | None = None
        is_open = False
        try:
            with watch:
                response = await self._send(route, call, streaming=True)
                await response.head()
                sent = await require_answer(response, watch, route, EVENT_STREAM, JSON)
                if sent == JSON:
                    body = await read_whole(response)
                    return ChunksAtOnce(route.dialect.stream_of_answer(body, call, route.endpoint))
            response.disarm()
            is_open = True
            return ChunksOfBody(response, route.dialect.read_stream(call, route.endpoint), watch)
        finally:
            if response is not None and not is_open:
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


class ChunksAtOnce:
    """Of a whole answer: some providers send one although a stream was asked for."""

    def __init__(self, chunks: Sequence[Chunk]) -> None:
        self._chunks: Sequence[Chunk] | None = chunks

    async def next(self) -> Sequence[Chunk] | None:
        chunks, self._chunks = self._chunks, None
        return chunks

    def close(self) -> None:
        """The answer was read whole."""


class ChunksOfBody:
    """A response read part by part. Implements application.ports.chat_providers.ProviderStream."""

    def __init__(self, response: Response, reader: ChatReader, watch: Watch) -> None:
        self._response = response
        self._reader = reader
        self._watch = watch
        self._received = 0
        self._has_ended = False
        self._failure: Exception | None = None

    async def next(self) -> Sequence[Chunk] | None:
        quiet_since_s: float | None = None
        with self._watch:
            while not self._is_over():
                chunks = await self._read()
                if chunks:
                    return chunks
                now_s = monotonic()
                quiet_since_s = now_s if quiet_since_s is None else quiet_since_s
                if now_s - quiet_since_s > MAX_QUIET_S:
                    raise BrokenAnswer(ErrorClass.TIMED_OUT)
        if self._reader.is_done and not self._response.is_complete:
            await _drain(self._response)
        return None

    def close(self) -> None:
        self._response.close()

    def _is_over(self) -> bool:
        """Raises the failure that came behind the last chunks."""
        if self._failure is not None:
            raise self._failure
        return self._has_ended or self._reader.is_done

    async def _read(self) -> Sequence[Chunk]:
        """The chunks of the next part; it may have none. Those before a failure are returned first."""
        part = await self._response.part()
        self._received += len(part)
        if self._received > MAX_STREAM_BYTES:
            raise BrokenAnswer(ErrorClass.ANSWER_TOO_LARGE)
        self._has_ended = not part
        chunks: list[Chunk] = []  # extend keeps what a reader yielded before it raised
        try:
            chunks.extend(self._reader.feed(part) if part else self._reader.end())
        except (BrokenAnswer, *UNREADABLE) as failure:
            if not chunks:
                raise
            self._failure = failure
        return chunks


async def _drain(response: Response) -> None:
    """Read the end of the body so that the connection can be reused; without an end in time the connection closes."""
    with suppress(TimeoutError, HttpFault):
        async with asyncio.timeout(DRAIN_S):
            while await response.part():
                pass
