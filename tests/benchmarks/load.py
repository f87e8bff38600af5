"""A load generator that costs little itself: raw asyncio protocols over kept-alive connections, uvloop.

Closed loop: each of `connections` sends its next request when the last was answered; latency is from the first byte
sent to the last byte received. On this machine's two cores every microsecond spent here is taken from who is measured.
"""

import asyncio
import json
import statistics
import sys
import time
from collections.abc import Sequence
from typing import NamedTuple

import uvloop


class Load(NamedTuple):
    """What a run came to. Latencies in seconds, sorted; `errors` are answers other than 200."""

    requests: int
    seconds: float
    errors: int
    latencies: Sequence[float]

    @property
    def rps(self) -> float:
        return self.requests / self.seconds

    def percentile(self, p: float) -> float:
        return self.latencies[min(len(self.latencies) - 1, int(len(self.latencies) * p))]


class _Connection(asyncio.Protocol):
    """One kept-alive connection; knows just enough HTTP/1.1 to find the end of a response."""

    def __init__(self, load: "_Run", requests: Sequence[bytes]) -> None:
        self.load = load
        self.requests = requests
        self.buffer = bytearray()
        self.sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.next()

    def next(self) -> None:
        number = self.load.take()
        if number is None:
            self.transport.close()
            return
        self.sent_at = time.perf_counter()
        self.transport.write(self.requests[number % len(self.requests)])  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if _is_complete(self.buffer):
            ok = self.buffer.startswith(b"HTTP/1.1 200")
            self.load.note(time.perf_counter() - self.sent_at, ok, bytes(self.buffer[:600]))
            self.buffer.clear()
            self.next()

    def connection_lost(self, exc: Exception | None) -> None:
        self.load.left(exc)


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
    def __init__(self, total: int, connections: int) -> None:
        self.left_to_send = total
        self.total = total
        self.open = connections
        self.errors = 0
        self.first_error = b""
        self.latencies: list[float] = []
        self.done = asyncio.get_running_loop().create_future()

    def take(self) -> int | None:
        if self.left_to_send == 0:
            return None
        self.left_to_send -= 1
        return self.left_to_send

    def note(self, seconds: float, ok: bool, start: bytes) -> None:
        self.latencies.append(seconds)
        if not ok:
            self.errors += 1
            self.first_error = self.first_error or start

    def left(self, exc: Exception | None) -> None:
        self.open -= 1
        if exc is not None:
            self.errors += 1
        if self.open == 0 and not self.done.done():
            self.done.set_result(None)


async def _drive(host: str, port: int, requests: Sequence[bytes], total: int, connections: int) -> Load:
    run = _Run(total, connections)
    loop = asyncio.get_running_loop()
    started = time.perf_counter()
    for _ in range(connections):
        await loop.create_connection(lambda: _Connection(run, requests), host, port)
    await run.done
    seconds = time.perf_counter() - started
    if run.errors:
        print(f"  {run.errors} errors, first: {run.first_error!r}", file=sys.stderr)
    return Load(len(run.latencies), seconds, run.errors, sorted(run.latencies))


def drive(port: int, requests: Sequence[bytes], total: int, connections: int) -> Load:
    """Send `total` requests over `connections` connections, cycling through `requests`."""
    return uvloop.run(_drive("127.0.0.1", port, requests, total, connections))


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
