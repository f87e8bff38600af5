"""Starting the upstream and the relays that the gateway is compared with."""

import contextlib
from collections.abc import Iterator
from typing import NamedTuple

from tests.rigs.running import PYTHON, free_port, process

BARE = "tests.benchmarks.relay:app"
LEAN = "tests.benchmarks.lean_relay:app"


class Relay(NamedTuple):
    port: int
    pid: int


@contextlib.contextmanager
def upstream(per_write: int = 2) -> Iterator[str]:
    port = free_port()
    with process(PYTHON, "-m", "tests.rigs.providers.upstream", str(port), str(per_write), port=port):
        yield f"http://127.0.0.1:{port}/v1"


@contextlib.contextmanager
def relay(app: str, upstream_url: str) -> Iterator[Relay]:
    """Under the flags that the gateway's own API process uses."""
    port = free_port()
    command = [PYTHON, "-m", "uvicorn", app, "--port", str(port), "--no-access-log"]
    flags = ["--log-level", "warning", "--loop", "uvloop", "--http", "httptools"]
    with process(*command, *flags, port=port, UPSTREAM=f"{upstream_url}/chat/completions") as child:
        yield Relay(port, child.pid)
