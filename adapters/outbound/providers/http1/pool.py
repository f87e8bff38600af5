"""Connections to origins, used again while they are idle."""

import asyncio
from collections import defaultdict, deque
from functools import partial

import aiohappyeyeballs

from adapters.outbound.providers.http1.connection import HttpConnection
from adapters.outbound.providers.http1.faults import ConnectFailed
from adapters.outbound.providers.http1.origin import AddressInfo, Origin, addresses_of
from adapters.outbound.providers.http1.response import Response

MAX_CONNECTIONS = 4_096
"""One connection per open request: one process cannot relay so many, so the limit binds only if something is wrong."""

MAX_CONNECTIONS_PER_ORIGIN = 2_048
"""One slow provider cannot take the whole pool."""

KEEPALIVE_S = 15.0
"""Shorter than any provider keeps idle connections (60 s and more), so that no request meets a closing one."""

DNS_CACHE_S = 60.0

REST_S = 0.005
"""Before a connection is used again. What a peer sends or does right behind its answer (a second answer, closing it
without a word) is noticed by then, and not during the next request."""

HAPPY_EYEBALLS_DELAY_S = 0.25
"""RFC 8305, 5."""


class Pool:
    """Belongs to the event loop of its first request."""

    def __init__(self) -> None:
        self._idle: defaultdict[Origin, _Idle] = defaultdict(_Idle)
        self._open: defaultdict[Origin, set[HttpConnection]] = defaultdict(set)
        self._connecting: defaultdict[Origin, int] = defaultdict(int)
        self._sweeps: dict[Origin, asyncio.TimerHandle] = {}
        self._addresses: dict[Origin, tuple[float, list[AddressInfo]]] = {}

    async def send(
        self, origin: Origin, head: bytes, body: bytes, *, connect_timeout_s: float, timeout_s: float
    ) -> Response:
        """Send one request, once: it is never sent again, whatever happens to the connection.

        head: up to the empty line. timeout_s: until the end of the body, or until `Response.disarm`.
        Raises: ConnectFailed, TimeoutError. Everything later is raised by the response.
        """
        loop = asyncio.get_running_loop()
        now_s = loop.time()
        deadline_s = now_s + timeout_s
        connection = self._idle[origin].take(now_s - REST_S)
        if connection is None:
            connection = await self._connect(loop, origin, connect_timeout_s, deadline_s)
        return connection.send(head, body, deadline_s)

    def close(self) -> None:
        for timer in self._sweeps.values():
            timer.cancel()
        for connections in self._open.values():
            for connection in [*connections]:
                connection.close()
        self._idle.clear()

    async def _connect(
        self, loop: asyncio.AbstractEventLoop, origin: Origin, connect_timeout_s: float, deadline_s: float
    ) -> HttpConnection:
        self._refuse_if_full(origin)
        self._connecting[origin] += 1
        connect_by_s = loop.time() + connect_timeout_s
        try:
            async with asyncio.timeout_at(min(connect_by_s, deadline_s)):
                return await self._connected(loop, origin)
        except TimeoutError as error:
            if deadline_s < connect_by_s:
                raise
            raise ConnectFailed(f"no connection within {connect_timeout_s} s") from error
        except (OSError, UnicodeError) as error:
            self._addresses.pop(origin, None)  # it may have moved
            raise ConnectFailed(f"{type(error).__name__}: {error}") from error
        finally:
            self._connecting[origin] -= 1

    async def _connected(self, loop: asyncio.AbstractEventLoop, origin: Origin) -> HttpConnection:
        addresses = await self._addresses_of(loop, origin)
        sock = await aiohappyeyeballs.start_connection(
            addresses, happy_eyeballs_delay=HAPPY_EYEBALLS_DELAY_S, interleave=1, loop=loop
        )
        try:
            _, connection = await loop.create_connection(
                partial(HttpConnection, partial(self._free, origin), partial(self._forget, origin)),
                sock=sock,
                ssl=origin.tls,
                server_hostname=origin.host if origin.tls else None,
            )
        except BaseException:
            sock.close()
            raise
        self._open[origin].add(connection)
        if origin.tls is None:
            connection.check_silence()
        return connection

    async def _addresses_of(self, loop: asyncio.AbstractEventLoop, origin: Origin) -> list[AddressInfo]:
        known = self._addresses.get(origin)
        if known is None or loop.time() > known[0]:
            known = (loop.time() + DNS_CACHE_S, await addresses_of(loop, origin))
            self._addresses[origin] = known
        return known[1]

    def _refuse_if_full(self, origin: Origin) -> None:
        of_origin = len(self._open[origin]) + self._connecting[origin]
        if of_origin >= MAX_CONNECTIONS_PER_ORIGIN or sum(map(len, self._open.values())) >= MAX_CONNECTIONS:
            raise ConnectFailed("all connections are in use")

    def _free(self, origin: Origin, connection: HttpConnection) -> None:
        loop = asyncio.get_running_loop()
        connection.idle_since_s = loop.time()
        if origin.tls is not None:
            origin.tls.session = connection.tls_session() or origin.tls.session
        self._idle[origin].add(connection)
        if origin not in self._sweeps:
            self._sweeps[origin] = loop.call_later(KEEPALIVE_S, self._sweep, origin)

    def _forget(self, origin: Origin, connection: HttpConnection) -> None:
        self._open[origin].discard(connection)
        self._idle[origin].discard(connection)

    def _sweep(self, origin: Origin) -> None:
        loop = asyncio.get_running_loop()
        oldest_s = self._idle[origin].close_older(loop.time() - KEEPALIVE_S)
        if oldest_s is None:
            del self._sweeps[origin]
        else:
            self._sweeps[origin] = loop.call_at(oldest_s + KEEPALIVE_S, self._sweep, origin)


class _Idle:
    """Idle connections of one origin, those that still rest apart; each in the order in which they were freed."""

    def __init__(self) -> None:
        self._resting: deque[HttpConnection] = deque()
        self._rested: deque[HttpConnection] = deque()

    def add(self, connection: HttpConnection) -> None:
        self._resting.append(connection)

    def discard(self, connection: HttpConnection) -> None:
        for connections in (self._resting, self._rested):
            if connection in connections:
                connections.remove(connection)

    def take(self, idle_since_s: float) -> HttpConnection | None:
        """The last of those that are idle since `idle_since_s` or longer: the others may grow old and be closed."""
        self._move_rested(idle_since_s)
        while self._rested:
            connection = self._rested.pop()
            if connection.is_quiet():
                return connection
            connection.close()
        return None

    def close_older(self, idle_since_s: float) -> float | None:
        """Close those that are idle since `idle_since_s` or longer. Returns since when the oldest other one is."""
        self._move_rested(idle_since_s)
        while self._rested and self._rested[0].idle_since_s <= idle_since_s:
            self._rested.popleft().close()
        left = self._rested or self._resting
        return left[0].idle_since_s if left else None

    def _move_rested(self, idle_since_s: float) -> None:
        while self._resting and self._resting[0].idle_since_s <= idle_since_s:
            self._rested.append(self._resting.popleft())
