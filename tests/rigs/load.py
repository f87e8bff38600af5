"""A load generator that costs little itself: raw asyncio protocols over kept-alive connections, uvloop.

Closed loop (`drive`): each of `connections` sends its next request when the last was answered; latency is from the
first byte sent to the last byte received. Open loop (`arrive`): requests fall due at a constant rate; latency is from
there. On this machine's two cores every microsecond spent here is taken from who is measured.
"""

import asyncio
import json
import statistics
import sys
import time
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

import uvloop

TICK_S = 0.001
PATIENCE_S = 10.0
GRACE_S = 2.0
"""At the end of an open loop, for requests that still wait for a connection."""


class Load(NamedTuple):
    """What a run came to. Latencies in seconds, sorted; `errors` are answers other than 200; `dropped` were due and
    never sent, because no connection came free."""

    requests: int
    seconds: float
    errors: int
    latencies: Sequence[float]
    dropped: int = 0

    @property
    def rps(self) -> float:
        return self.requests / self.seconds

    def percentile(self, p: float) -> float:
        return self.latencies[min(len(self.latencies) - 1, int(len(self.latencies) * p))]


class _Connection(asyncio.Protocol):
    """One kept-alive connection; knows just enough HTTP/1.1 to find the end of a response."""

    def __init__(self, run: "_Closed | _Open") -> None:
        self._run = run
        self._buffer = bytearray()
        self._since_s = 0.0
        self.is_under_way = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._run.is_free(self)

    def send(self, request: bytes, since_s: float) -> None:
        """`since_s`: when the request was due, by perf_counter; latency counts from there."""
        self._since_s = since_s
        self.is_under_way = True
        self._transport.write(request)  # type: ignore[attr-defined]

    def close(self) -> None:
        self._transport.close()

    @property
    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if _is_complete(self._buffer):
            ok = self._buffer.startswith(b"HTTP/1.1 200")
            self._run.note(time.perf_counter() - self._since_s, ok, bytes(self._buffer[:600]))
            self._buffer.clear()
            self.is_under_way = False
            self._run.is_free(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._run.left(self)


def _is_complete(buffer: bytearray) -> bool:
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        return False
    head = bytes(buffer[:end]).lower()
    at = head.find(b"content-length:")
    if at >= 0:
        length = int(head[at + 15 :].split(b"\r\n", 1)[0])
        return len(buffer) >= end + 4 + length
    return buffer.endswith(b"0\r\n\r\n")


class _Run:
    """What both kinds of run count."""

    def __init__(self, connections: int) -> None:
        self._open = connections
        self.errors = 0
        self.first_error = b""
        self.latencies: list[float] = []
        self.done = asyncio.get_running_loop().create_future()

    def note(self, seconds: float, ok: bool, start: bytes) -> None:
        self.latencies.append(seconds)
        if not ok:
            self.errors += 1
            self.first_error = self.first_error or start

    def left(self, connection: _Connection) -> None:
        """A request that was under way has no answer; a connection that is idle may be closed by either side."""
        self.errors += connection.is_under_way
        self._open -= 1
        if self._open == 0 and not self.done.done():
            self.done.set_result(None)

    def result(self, seconds: float, dropped: int = 0) -> Load:
        if self.errors:
            print(f"  {self.errors} errors, first: {self.first_error!r}", file=sys.stderr)
        return Load(len(self.latencies), seconds, self.errors, sorted(self.latencies), dropped)


class _Closed(_Run):
    """Each connection sends its next request when its last was answered."""

    def __init__(self, requests: Sequence[bytes], total: int, connections: int) -> None:
        super().__init__(connections)
        self._requests = requests
        self._left_to_send = total

    def is_free(self, connection: _Connection) -> None:
        if self._left_to_send == 0:
            connection.close()
            return
        self._left_to_send -= 1
        connection.send(self._requests[self._left_to_send % len(self._requests)], time.perf_counter())


class _Open(_Run):
    """Requests fall due at a constant rate, whatever became of those before: a queue in front of the server shows."""

    def __init__(
        self, port: int, requests: Sequence[bytes], rate_per_s: float, seconds: float, connections: int
    ) -> None:
        super().__init__(connections)
        self._port = port
        self._reconnecting = set[asyncio.Task[None]]()
        self._requests = requests
        self._rate_per_s = rate_per_s
        self._total = int(rate_per_s * seconds)
        self._sent = 0
        self._idle: deque[_Connection] = deque()
        self._waiting: deque[float] = deque()
        self.dropped = 0
        self._ended = False

    async def play(self) -> None:
        began_s = time.perf_counter()
        due = 0
        while due < self._total:
            now_s = time.perf_counter()
            while due < self._total and began_s + due / self._rate_per_s <= now_s:
                self._arrive(began_s + due / self._rate_per_s)
                due += 1
            self._drop(now_s)
            await asyncio.sleep(TICK_S)
        await asyncio.sleep(GRACE_S if self._waiting else 0)
        self._ended = True
        self.dropped += len(self._waiting)
        for connection in self._idle:
            connection.close()

    def is_free(self, connection: _Connection) -> None:
        if self._waiting:
            self._send(connection, self._waiting.popleft())
        elif self._ended:
            connection.close()
        else:
            self._idle.append(connection)

    def left(self, connection: _Connection) -> None:
        """A server may close what was idle for long: as a client's pool does, another one takes its place."""
        if connection in self._idle:
            self._idle.remove(connection)
        if not connection.is_under_way and not self._ended:
            self._open += 1
            task = asyncio.get_running_loop().create_task(self._reconnect())
            self._reconnecting.add(task)
            task.add_done_callback(self._reconnecting.discard)
        super().left(connection)

    async def _reconnect(self) -> None:
        try:
            await _connect(self, self._port, 1)
        except OSError:
            self.errors += 1
            self._open -= 1

    def _arrive(self, due_s: float) -> None:
        while self._idle:
            connection = self._idle.popleft()
            if not connection.is_closing:
                self._send(connection, due_s)
                return
        self._waiting.append(due_s)

    def _drop(self, now_s: float) -> None:
        """Nobody waits for ever for a free connection: those are what a user would call lost."""
        while self._waiting and now_s - self._waiting[0] > PATIENCE_S:
            self._waiting.popleft()
            self.dropped += 1

    def _send(self, connection: _Connection, due_s: float) -> None:
        self._sent += 1
        connection.send(self._requests[self._sent % len(self._requests)], due_s)


async def _connect(run: _Closed | _Open, port: int, connections: int) -> None:
    loop = asyncio.get_running_loop()
    for _ in range(connections):
        await loop.create_connection(lambda: _Connection(run), "127.0.0.1", port)


async def _drive(port: int, requests: Sequence[bytes], total: int, connections: int) -> Load:
    run = _Closed(requests, total, connections)
    started = time.perf_counter()
    await _connect(run, port, connections)
    await run.done
    return run.result(time.perf_counter() - started)


async def _arrive(port: int, requests: Sequence[bytes], rate_per_s: float, seconds: float, connections: int) -> Load:
    run = _Open(port, requests, rate_per_s, seconds, connections)
    await _connect(run, port, connections)
    started = time.perf_counter()
    await run.play()
    await run.done
    return run.result(time.perf_counter() - started, run.dropped)


def drive(port: int, requests: Sequence[bytes], total: int, connections: int) -> Load:
    """Send `total` requests over `connections` connections, cycling through `requests`."""
    return uvloop.run(_drive(port, requests, total, connections))


def arrive(port: int, requests: Sequence[bytes], rate_per_s: float, seconds: float, connections: int) -> Load:
    """Open loop: `rate_per_s` requests a second for `seconds`, over at most `connections` at a time."""
    return uvloop.run(_arrive(port, requests, rate_per_s, seconds, connections))


def post(path: str, body: object, key: str) -> bytes:
    data = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAuthorization: Bearer {key}\r\n"
    return head.encode() + b"Content-Length: %d\r\n\r\n" % len(data) + data


def medians(runs: Sequence[Load]) -> dict[str, float]:
    """Median over repeats of each figure; milliseconds for latencies."""
    return {
        "rps": statistics.median(run.rps for run in runs),
        "p50_ms": statistics.median(run.percentile(0.50) for run in runs) * 1e3,
        "p99_ms": statistics.median(run.percentile(0.99) for run in runs) * 1e3,
        "errors": sum(run.errors for run in runs),
    }
