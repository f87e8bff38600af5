"""HTTP/1.1 as the stand-ins for providers read it: kept-alive connections, bodies with a length."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress


async def requests(reader: asyncio.StreamReader) -> AsyncIterator[tuple[bytes, bytes]]:
    """(head, body) of each request on the connection, until the client closes it."""
    with suppress(asyncio.IncompleteReadError, ConnectionError):
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            yield head, await reader.readexactly(length_of(head))


def length_of(head: bytes) -> int:
    """Of the body; 0 if the head does not say."""
    lines = head.lower().split(b"\r\n")
    return next((int(line[15:]) for line in lines if line.startswith(b"content-length:")), 0)
