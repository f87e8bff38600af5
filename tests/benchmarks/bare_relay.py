"""Starting the upstream and the bare relay."""

import contextlib
from collections.abc import Iterator

from tests.rigs.running import PYTHON, free_port, process


@contextlib.contextmanager
def upstream(per_write: int = 2) -> Iterator[str]:
    port = free_port()
    with process(PYTHON, "-m", "tests.rigs.providers.upstream", str(port), str(per_write), port=port):
        yield f"http://127.0.0.1:{port}/v1"


@contextlib.contextmanager
def relay(upstream_url: str) -> Iterator[int]:
    """Under the flags that the gateway's own API process uses."""
    port = free_port()
    command = [PYTHON, "-m", "uvicorn", "tests.benchmarks.relay:app", "--port", str(port), "--no-access-log"]
    flags = ["--log-level", "warning", "--loop", "uvloop", "--http", "httptools"]
    with process(*command, *flags, port=port, UPSTREAM=f"{upstream_url}/chat/completions"):
        yield port
