"""Where the server listens: a port on 127.0.0.1, the same after restarts, and a unix socket if its path fits."""

import json
import os
import random
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from adapters.embedded.durable import write_file
from adapters.embedded.errors import EmbeddedPostgresError
from adapters.embedded.home import own_folder
from adapters.embedded.unprivileged import UnprivilegedUser

HOST = "127.0.0.1"
# sockaddr_un.sun_path is 108 bytes with its final zero.
MAX_SOCKET_PATH_BYTES = 107
# Below the kernel's ephemeral ports (32768 and up): no outgoing connection takes our port while Postgres restarts.
STABLE_PORTS = range(20_000, 32_000)
TRIES = 100


@dataclass(frozen=True)
class ServerEndpoint:
    port: int
    socket_folder: Path | None  # None: its path would be too long for a socket


def choose_endpoint(home: Path, user: UnprivilegedUser | None) -> ServerEndpoint:
    """The last start's port if it is free, else a new one; an empty socket folder. Call it while no server runs."""
    socket_folder = home / "run"
    own_folder(socket_folder, user)
    for stale in socket_folder.glob(".s.PGSQL.*"):  # the lock file beside a socket may name a recycled pid
        stale.unlink(missing_ok=True)
    port = next((port for port in _wished_ports(home) if _is_free(port)), None)
    if port is None:
        raise EmbeddedPostgresError(f"no free port on {HOST} found in {TRIES} tries: free one, or set DATABASE_URL")
    path_bytes = len(os.fsencode(socket_folder / f".s.PGSQL.{port}"))
    return ServerEndpoint(port, socket_folder if path_bytes <= MAX_SOCKET_PATH_BYTES else None)


def publish_endpoint(home: Path, endpoint: ServerEndpoint) -> None:
    """Write pg.json: the port for the next start to try first, and facts for humans. Raises OSError."""
    facts = {
        "supervisor": os.getpid(),
        "host": HOST,
        "port": endpoint.port,
        "socket": str(endpoint.socket_folder) if endpoint.socket_folder else None,
    }
    write_file(home / "pg.json", json.dumps(facts) + "\n")


def _wished_ports(home: Path) -> Iterator[int]:
    # No file at a first start; a damaged file only loses the port. Neither prevents the start.
    with suppress(OSError, ValueError, KeyError, TypeError):
        yield int(json.loads((home / "pg.json").read_text())["port"])
    yield from random.sample(STABLE_PORTS, TRIES)


def _is_free(port: int) -> bool:
    """Uses SO_REUSEADDR as Postgres does: connections of the last server in TIME_WAIT do not count."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            probe.listen(1)
        except (OSError, OverflowError):
            return False
    return True
