"""The end of the port: nobody who was accepted, by a process or by the kernel, is dropped without an answer."""

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress

from adapters.supervisor.listen import BACKLOG

SPEAKS_WITHIN_S = 1.0
"""A connection has this long to send its request, and as long again to read the answer."""

LAST_ARRIVALS_S = 0.1
"""For handshakes that have begun, with clients that are not far away."""

MOST_ROUNDS = 10
"""Of LAST_ARRIVALS_S: a kernel that does not obey `accept_no_more` lets others in without end."""

READ_BYTES = 64 * 1024
"""At once, and of a head; nobody's is longer."""

_SO_BINDTOIFINDEX = 62
_NO_DEVICE = 2**31 - 1


def close_port(port: socket.socket, answer: Callable[[], bytes]) -> int:
    """Close a listening socket of which this is the last copy; who connected in time gets `answer()` to a request.

    To close it at once would reset connections that the kernel has accepted, also those it accepts after we looked. So
    it is first told to accept no more.

    Returns: the number of connections that were answered. It takes 0.1 s, or up to 3 s if there are any.
    """
    accept_no_more(port)
    return asyncio.run(_answer_all(port, answer))


def accept_no_more(port: socket.socket) -> None:
    """Refuse whoever connects from now on: the port listens only to packets of a network device that does not exist.
    Handshakes that have begun are completed."""
    with suppress(OSError):  # Linux before 5.7, not as root: what else is done here still helps
        port.setsockopt(socket.SOL_SOCKET, _SO_BINDTOIFINDEX, _NO_DEVICE)


async def _answer_all(port: socket.socket, answer: Callable[[], bytes]) -> int:
    answers: set[asyncio.Task[bool]] = set()

    def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers.add(asyncio.create_task(_answer_one(reader, writer, answer)))

    server = await asyncio.start_server(take, sock=port, backlog=BACKLOG, limit=READ_BYTES)
    for _ in range(MOST_ROUNDS):
        taken = len(answers)
        await asyncio.sleep(LAST_ARRIVALS_S)
        if len(answers) == taken:
            break
    server.close()
    return sum(await asyncio.gather(*answers))


async def _answer_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: Callable[[], bytes]) -> bool:
    """Whether it sent a request in time."""
    try:
        with suppress(OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            async with asyncio.timeout(SPEAKS_WITHIN_S):
                await reader.readuntil(b"\r\n\r\n")
            writer.write(answer())
            writer.write_eof()
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(SPEAKS_WITHIN_S):
                    while await reader.read(READ_BYTES):  # closing with unread bytes would reset the answer too
                        pass
            return True
        return False
    finally:
        writer.close()
