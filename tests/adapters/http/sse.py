"""Streams as raw bytes over a socket: what was sent when, and hanging up in the middle."""

import contextlib
import json
import socket
from collections.abc import Iterator, Mapping
from typing import Any


class RawStream:
    """One streamed request over its own connection; `read_until` sees every byte that the server sends."""

    def __init__(self, port: int, key: str, body: Mapping[str, Any], receive_buffer: int | None = None) -> None:
        self._socket = socket.socket()
        if receive_buffer is not None:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self._socket.connect(("127.0.0.1", port))
        self._socket.settimeout(5)
        encoded = json.dumps(body).encode()
        head = (
            "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
            f"authorization: Bearer {key}\r\ncontent-length: {len(encoded)}\r\n\r\n"
        )
        self._socket.sendall(head.encode() + encoded)
        self.received = b""

    def read_until(self, expected: bytes) -> bytes:
        """Everything received so far, once it contains `expected`; TimeoutError after 5 s without a byte."""
        while expected not in self.received:
            part = self._socket.recv(65_536)
            assert part, f"the server hung up after {self.received[-500:]!r}"
            self.received += part
        return self.received

    def read_what_is_there(self, wait_s: float = 0.2) -> bytes:
        """Everything received until nothing more has come for `wait_s`: proves that something was not sent."""
        self._socket.settimeout(wait_s)
        with contextlib.suppress(TimeoutError):
            while part := self._socket.recv(65_536):
                self.received += part
        self._socket.settimeout(5)
        return self.received

    def read_to_end(self) -> bytes:
        """The whole answer; the connection is closed after it."""
        with self._socket:
            return self.read_until(b"\r\n0\r\n\r\n")

    def hang_up(self) -> None:
        self._socket.close()


def events_of(body: str) -> Iterator[str]:
    """The data of each event."""
    for event in body.split("\n\n"):
        if event.startswith("data: "):
            yield event.removeprefix("data: ")
