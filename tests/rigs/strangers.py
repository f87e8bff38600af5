"""People without a key who take what they can get: `python -m tests.rigs.strangers PORT KIND SECONDS`.

They come from 127.0.0.2 to 9.

In a process of its own, closed loop: each sends again as soon as it is answered, or closed. Ends by itself.
"""

import asyncio
import contextlib
import resource
import sys
import time
from collections.abc import Awaitable, Callable

ADDRESSES = [f"127.0.0.{last}" for last in range(2, 10)]
READ = 65_536

Stranger = Callable[[int, str, float], Awaitable[None]]


async def asking(port: int, address: str, until_s: float, path: str) -> None:
    """One connection that asks for `path` as fast as it is answered."""
    request = f"GET {path} HTTP/1.1\r\nhost: a\r\n\r\n".encode()
    reader, writer = await opened(port, address)
    while time.monotonic() < until_s:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
    writer.close()


async def pipelining(port: int, address: str, until_s: float) -> None:
    """One that sends requests without end and reads nothing."""
    _, writer = await opened(port, address)
    requests = b"GET /health HTTP/1.1\r\nhost: a\r\n\r\n" * 500
    while time.monotonic() < until_s:
        writer.write(requests)
        async with asyncio.timeout(max(0.01, until_s - time.monotonic())):
            await writer.drain()
    writer.close()


async def silent(port: int, address: str, until_s: float) -> None:
    reader, writer = await opened(port, address)
    async with asyncio.timeout(max(0.01, until_s - time.monotonic())):
        await reader.read(1)
    writer.close()


async def in_a_body(port: int, address: str, until_s: float) -> None:
    """One that is in the middle of 32 MB."""
    reader, writer = await opened(port, address)
    path = "/v1/keys" if address.endswith(("2", "4", "6", "8")) else "/v1/chat/completions"
    fields = "content-type: application/json\r\ncontent-length: 33554432"
    writer.write(f"POST {path} HTTP/1.1\r\nhost: a\r\n{fields}\r\n\r\n".encode())
    async with asyncio.timeout(max(0.01, until_s - time.monotonic())):
        for _ in range(256):
            writer.write(b"[" * READ)
            await writer.drain()
        await reader.read(1)
    writer.close()


async def trying_keys(port: int, address: str, until_s: float) -> None:
    """Some sixty unknown keys a second."""
    reader, writer = await opened(port, address)
    number = 0
    while time.monotonic() < until_s:
        number += 1
        key = f"gw_live_{address.replace('.', '_')}{number}".ljust(51, "x")
        writer.write(f"GET /v1/key HTTP/1.1\r\nhost: a\r\nx-api-key: {key}\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0]))
        await asyncio.sleep(0.016)
    writer.close()


def on(path: str) -> Stranger:
    return lambda port, address, until_s: asking(port, address, until_s, path)


KINDS: dict[str, tuple[int, Stranger]] = {
    "health": (64, on("/health")),
    "ready": (64, on("/ready")),
    "metrics": (64, on("/metrics")),
    "openapi": (64, on("/openapi.json")),
    "models": (64, on("/v1/models")),
    "pipelining": (1_000, pipelining),
    "silent": (10_000, silent),
    "bodies": (200, in_a_body),
    "unknown keys": (8, trying_keys),
}
"""How many of each, and what one does until its connection ends; then it comes again."""


async def opened(port: int, address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0))


async def again_and_again(port: int, number: int, stranger: Stranger, until_s: float) -> None:
    address = ADDRESSES[number % len(ADDRESSES)]
    while time.monotonic() < until_s:
        with contextlib.suppress(OSError, EOFError, TimeoutError, IndexError, asyncio.LimitOverrunError):
            await stranger(port, address, until_s)
        await asyncio.sleep(0.05)


async def main(port: int, kind: str, for_s: float) -> None:
    number, stranger = KINDS[kind]
    until_s = time.monotonic() + for_s
    async with asyncio.timeout(for_s + 10):
        await asyncio.gather(*(again_and_again(port, each, stranger, until_s) for each in range(number)))


if __name__ == "__main__":
    _, allowed = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(allowed, 65_536), allowed))
    with contextlib.suppress(TimeoutError):
        asyncio.run(main(int(sys.argv[1]), sys.argv[2], float(sys.argv[3])))
