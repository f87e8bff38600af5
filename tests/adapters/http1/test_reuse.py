"""10,000 requests over connections that are used again, to a server that does by a seeded plan what servers do wrong.

The law: an answer that is delivered is the one to this request; no request is received twice; a connection after whose
answer there was any doubt carries no further one; a request fails only if the plan broke its answer off, or if it never
reached the server because the plan had ended its connection; and connections are used again.
"""

import asyncio
import os
import random
import socket
import struct
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pytest

from adapters.outbound.providers.http1 import pool as pool_module
from adapters.outbound.providers.http1.faults import ConnectionBroken, MalformedResponse
from tests.rigs.providers.http1 import requests
from tests.rigs.providers.raw_server import answer, raw_server
from tests.rigs.providers.talking import Client

REQUESTS = 10_000
AT_ONCE = 40
MAX_ANSWERS = 5
"""On a connection; the last is followed or broken off by one of ENDS."""

STRAY = answer(b"somebody else's")
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


def chunks(body: bytes) -> bytes:
    return CHUNKED + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)


CLOSED: Mapping[str, Callable[[bytes], tuple[bytes, ...]]] = {
    "closes": lambda body: (answer(body),),
    "closes after the last chunk": lambda body: (chunks(body),),
    "resets": lambda body: (answer(body),),
}
BROKEN_OFF: Mapping[str, Callable[[bytes], tuple[bytes, ...]]] = {
    "cuts": lambda body: (answer(body)[:-1],),
    "cuts a chunk": lambda body: (chunks(body)[:-8],),
    "cuts the last chunk": lambda body: (chunks(body)[:-2],),
    "cuts the head": lambda body: (answer(body)[:20],),
    "resets instead": lambda body: (answer(body)[:-5],),
}
IN_DOUBT: Mapping[str, Callable[[bytes], tuple[bytes, ...]]] = {
    "one more in the same write": lambda body: (answer(body) + STRAY,),
    "one more right behind": lambda body: (answer(body), STRAY),
    "a line too many": lambda body: (answer(body) + b"\r\n",),
    "says so": lambda body: (answer(body, b"connection: close"),),
}
"""These leave the connection open, so that a client is noticed that uses it again."""

ENDS = {**CLOSED, **BROKEN_OFF, **IN_DOUBT}
"""What is written for the last answer on a connection."""

MAX_UNSENT = REQUESTS // 200
"""Sent on a connection in the very moment in which its peer closed it: no client can know, and none may repeat it."""


@dataclass
class Server:
    """What it received, and what it did to it by its plan."""

    seed: int
    received: Counter[bytes] = field(default_factory=Counter)
    broken_off: set[bytes] = field(default_factory=set)
    after_doubt: list[tuple[str, bytes]] = field(default_factory=list)
    ended: Counter[str] = field(default_factory=Counter)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        plan = random.Random(f"{self.seed} {number}")
        left, end = plan.randint(1, MAX_ANSWERS), plan.choice([*ENDS])
        async for _, body in requests(reader):
            self.received[body] += 1
            left -= 1
            if left < 0:
                self.after_doubt.append((end, body))
            if left > 0:
                await self._answer(writer, body, plan)
                continue
            self.ended[end] += 1
            if end in BROKEN_OFF:
                self.broken_off.add(body)
            for piece in ENDS[end](body):
                writer.write(piece)
            if end.startswith("resets"):
                reset(writer)
            if end not in IN_DOUBT:
                return

    async def _answer(self, writer: asyncio.StreamWriter, body: bytes, plan: random.Random) -> None:
        """Whole, in chunks, or in two pieces."""
        whole = answer(body) if plan.random() < 0.5 else chunks(body)
        at = plan.randrange(len(whole)) if plan.random() < 0.3 else 0
        writer.write(whole[:at])
        await asyncio.sleep(0)
        writer.write(whole[at:])


def reset(writer: asyncio.StreamWriter) -> None:
    """The kernel sends a reset when the connection is closed."""
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def test_ten_thousand_requests_get_their_own_answers_and_are_received_once() -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    server, failed = Server(seed), dict[bytes, str]()

    async def ask_some(client: Client, caller: int) -> None:
        dice = random.Random(f"{seed} caller {caller}")
        for number in range(caller, REQUESTS, AT_ONCE):
            body = b"%d " % number + b"x" * dice.randint(0, 300)
            try:
                assert await client.ask(body) == (200, body)
            except (ConnectionBroken, MalformedResponse) as fault:
                failed[body] = repr(fault)
            if dice.random() < 0.2:
                await asyncio.sleep(pool_module.REST_S * 1.5)

    async with raw_server(server.talk) as raw:
        client = Client(raw.url)
        try:
            await asyncio.gather(*(ask_some(client, caller) for caller in range(AT_ONCE)))
        finally:
            client.pool.close()

    unsent = failed.keys() - server.received.keys()
    print(f"{raw.connections} connections, {len(failed)} failed, {len(unsent)} of them unsent; {dict(server.ended)}")
    assert max(server.received.values()) == 1
    assert len(server.received) == REQUESTS - len(unsent)
    assert failed.keys() - unsent == server.broken_off
    assert len(unsent) <= MAX_UNSENT
    assert not server.after_doubt
    assert raw.connections < REQUESTS // 2


@pytest.mark.parametrize("end", ["one more", "closes"])
async def test_what_a_peer_did_to_an_idle_connection_is_noticed_although_the_loop_has_not_read_it(end: str) -> None:
    """It does so, and the next request is sent, in the same turn of the loop."""
    fds: list[int] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        fds.append(writer.get_extra_info("socket").fileno())
        async for _, body in requests(reader):
            writer.write(answer(body))

    async with raw_server(talk) as raw:
        client = Client(raw.url)
        try:
            for number in range(5):
                assert await client.ask(b"%d" % number) == (200, b"%d" % number)
                await asyncio.sleep(pool_module.REST_S * 1.5)
                with socket.socket(fileno=os.dup(fds[-1])) as peer:
                    if end == "one more":
                        peer.send(STRAY)
                    else:
                        peer.shutdown(socket.SHUT_WR)
        finally:
            client.pool.close()
        assert raw.connections == 5
