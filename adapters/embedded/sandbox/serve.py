"""Run the sandbox in this process or in a child."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import uvicorn

from adapters.embedded.sandbox.app import create_app
from adapters.resting_server import RestingServer

KEEPALIVE_S = 75
"""Longer than our client keeps idle connections, so that no request meets a closing one; as providers do."""

STOP_TIMEOUT_S = 5

_ROOT = Path(__file__).resolve().parents[3]


def run(sock: socket.socket) -> None:
    """Serve on `sock`, which is bound and listening, until SIGTERM or SIGINT. Streams under way are cut."""
    config = uvicorn.Config(
        create_app(),
        log_level="critical",
        access_log=False,
        lifespan="off",
        timeout_keep_alive=KEEPALIVE_S,
        timeout_graceful_shutdown=1,
    )
    with suppress(KeyboardInterrupt):  # uvicorn raises it again after an orderly stop
        RestingServer(config).run(sockets=[sock])


def listening_socket(port: int = 0) -> socket.socket:
    """A listening socket on loopback; clients may connect at once and wait until the server accepts them."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("127.0.0.1", port))
    sock.listen(1024)
    return sock


def base_url_of(sock: socket.socket) -> str:
    return f"http://127.0.0.1:{sock.getsockname()[1]}/v1"


def command(sock: socket.socket) -> list[str]:
    """The command of a child that inherits `sock` (pass_fds) and can import the project."""
    return [sys.executable, "-m", "adapters.embedded.sandbox", str(sock.fileno())]


@contextmanager
def running_sandbox() -> Iterator[str]:
    """A sandbox in a child process for the length of a block; yields its base URL. `serve` has its own supervisor."""
    with listening_socket() as sock:
        child = subprocess.Popen(command(sock), pass_fds=[sock.fileno()], cwd=_ROOT)
        try:
            yield base_url_of(sock)
        finally:
            child.terminate()
            try:
                child.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
