"""HTTP on a bare socket, for what no client library would send."""

import socket
from typing import NamedTuple

READ = 65_536


class Answer(NamedTuple):
    """head: status line and fields as they came. body: what follows until the connection ends."""

    status: int
    head: bytes
    body: bytes


def everything(connection: socket.socket) -> bytes:
    """All that comes until the other side ends it, or resets it."""
    received = bytearray()
    try:
        while part := connection.recv(READ):
            received += part
    except ConnectionResetError:
        pass
    return bytes(received)


def whole_answer(connection: socket.socket) -> bytes:
    """The next answer on a connection that stays open, with a body of JSON."""
    received = b""
    while not received.endswith(b"}"):
        received += connection.recv(READ)
    return received


def answer_of(received: bytes) -> Answer:
    head, _, body = received.partition(b"\r\n\r\n")
    return Answer(int(head.split(b" ", 2)[1]), head, body)


def head(method: str, path: str, *fields: str) -> bytes:
    """A request's head that asks for the connection to end."""
    lines = [f"{method} {path} HTTP/1.1", "host: a", "connection: close", *fields, "", ""]
    return "\r\n".join(lines).encode()
