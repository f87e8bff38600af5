"""Memory of an API process for each stream that is open: 2,000 at the same time, from one provider that stands still.

The bound is MAX_CONNECTIONS_PER_ORIGIN (2,048) of the HTTP client: a stream has a connection to its provider. Sockets
are the kernel's memory, and in no figure here. The first round ends one stream after the other, as streams do in life.
In the last all go on in the same moment, each with 99 chunks (19 KB) that wait for the process in its buffers: the
figure after it is the most that the process ever needed, as an allocator keeps what it once had.
"""

import os
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from tests.benchmarks.books import check_books, settled
from tests.rigs.load import drive, post
from tests.rigs.processes import Memory, api_processes, memory_kib
from tests.rigs.running import PYTHON, free_port, gateway, process

STREAMS = int(os.environ.get("STREAMS", "2000"))
ROUNDS = ("release_in_turn", "release_in_turn", "release")
"""How the streams of each end."""

WARM_UP = 400
ACCOUNTS = 8
PATIENCE_S = 60.0
MESSAGES = [{"role": "user", "content": "Write fifty words about ledgers."}]
BOUNDS = {"GATEWAYZ_CONNECTIONS_PER_ADDRESS": "8192", "GATEWAYZ_RESERVE_PATIENCE_S": "60"}
"""All clients have one address here, and their reservations are all asked for at once."""


def run() -> None:
    """STREAMS= in the environment for another number."""
    with (
        held_streams() as provider,
        gateway(f"{provider}/v1", 1, None, **BOUNDS) as gw,
        ThreadPoolExecutor(1) as beside,
    ):
        keys = [gw.account_with_key(f"bench-{n}")[1] for n in range(ACCOUNTS)]
        requests = [chat(key, streamed=True) for key in keys]
        (api,) = api_processes(gw.supervisor.pid, 1)
        drive(gw.port, [chat(key, streamed=False) for key in keys], WARM_UP, ACCOUNTS)
        told("warm", memory_kib(api))
        warm = memory_kib(api)
        for number, ending in enumerate(ROUNDS, 1):
            load = beside.submit(drive, gw.port, requests, STREAMS, STREAMS)
            wait_for_held(provider)
            told(f"round {number}, {STREAMS:,} open", memory_kib(api), warm)
            assert ask(provider, ending) == STREAMS
            assert (load.result().requests, load.result().errors) == (STREAMS, 0)
            settled(gw)
            told(f"round {number}, all ended", memory_kib(api), warm)
        check_books(gw, WARM_UP + len(ROUNDS) * STREAMS)
        print(f"  gatewayz verify: {gw.command('verify').stdout.split()[-1]}")


@contextmanager
def held_streams() -> Iterator[str]:
    port = free_port()
    with process(PYTHON, "-m", "tests.rigs.providers.held_streams", str(port), port=port):
        yield f"http://127.0.0.1:{port}"


def chat(key: str, *, streamed: bool) -> bytes:
    body = {"model": "test/tokens", "messages": MESSAGES, "stream": streamed, "max_tokens": 100}
    return post("/v1/chat/completions", body, key)


def told(when: str, memory: Memory, warm: Memory | None = None) -> None:
    """warm: if given, what is above it is divided among the streams."""
    figures = ", ".join(f"{name} {kib / 1024:.1f}" for name, kib in zip(Memory._fields, memory, strict=True))
    each = f"{(memory.uss - warm.uss) / STREAMS:6.1f} kB of uss a stream" if warm else ""
    print(f"  {when:24} MB: {figures} {each}", flush=True)


def wait_for_held(provider: str) -> None:
    """Until all stand still; a moment later their first chunks were passed on."""
    by_s = time.monotonic() + PATIENCE_S
    while (held := ask(provider, "held")) < STREAMS:
        if time.monotonic() > by_s:
            raise TimeoutError(f"{held} of {STREAMS} streams are open")
        time.sleep(0.1)
    time.sleep(1)


def ask(provider: str, what: str) -> int:
    with urllib.request.urlopen(f"{provider}/_{what}", timeout=PATIENCE_S) as answer:
        return int(answer.read())
