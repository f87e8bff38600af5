"""Clients that connect to a port again and again until nobody listens there."""

import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Address = tuple[str, int]

REQUEST = (
    b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nconnection: close\r\n"
    b"content-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
)


def connect(address: Address, timeout_s: float = 10.0) -> socket.socket:
    return socket.create_connection(address, timeout_s)


def everything(client: socket.socket) -> bytes:
    """Until the other side ends."""
    said = b""
    while more := client.recv(4096):
        said += more
    return said


@contextmanager
def knocking(address: Address, clients: int) -> Iterator[Callable[[], Counter[str]]]:
    """Yields what they met, for after the port is closed: status lines, "refused" once a client, and the names of
    failures."""
    met: Counter[str] = Counter()
    threads = [threading.Thread(target=_knock, args=(address, met)) for _ in range(clients)]
    for thread in threads:
        thread.start()

    def what_they_met() -> Counter[str]:
        for thread in threads:
            thread.join(30)
        return met

    yield what_they_met
    what_they_met()


def _knock(address: Address, met: Counter[str]) -> None:
    while True:
        try:
            client = connect(address)
        except ConnectionRefusedError:
            met["refused"] += 1
            return
        try:
            with client:
                client.sendall(REQUEST)
                met[everything(client).partition(b"\r\n")[0].decode()] += 1
        except OSError as error:
            met[type(error).__name__] += 1
