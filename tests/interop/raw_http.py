"""HTTP/1.1 over a bare socket: what is sent is sent to the byte, what comes is read by RFC 9112 and nothing else."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from tests.rigs.installation.installation import Installation

PATIENCE_S = 30.0


class Answer(NamedTuple):
    """`headers` by lower-case name; `is_chunked` as it came over the wire."""

    version: str
    status: int
    headers: dict[str, str]
    body: bytes
    is_chunked: bool

    @property
    def code(self) -> str:
        return str(json.loads(self.body)["error"]["code"])


class Connection:
    def __init__(self, house: Installation) -> None:
        host, _, port = house.credentials["base_url"].removeprefix("http://").partition(":")
        self._key = house.credentials["demo_key"]
        self._socket = socket.create_connection((host, int(port)), PATIENCE_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._file = self._socket.makefile("rb")

    def close(self) -> None:
        self._file.close()
        self._socket.close()

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def read_some(self) -> bytes:
        return self._file.read1(1_000)

    def head(self, method: str, path: str, *lines: str, version: str = "1.1", key: str | None = None) -> bytes:
        """A request's head with host and key."""
        fixed = (f"{method} {path} HTTP/{version}", "Host: gatewayz", f"Authorization: Bearer {key or self._key}")
        return "\r\n".join((*fixed, *lines, "", "")).encode()

    def ask(self, method: str, path: str, *lines: str, version: str = "1.1") -> Answer:
        self.send(self.head(method, path, *lines, version=version))
        return self.answer(to=method)

    def answer(self, to: str = "GET") -> Answer:
        """The next one; after a 1xx, the final one comes with another call."""
        version, status, _ = self._line().split(" ", 2)
        headers = dict(self._headers())
        is_chunked = headers.get("transfer-encoding") == "chunked"
        return Answer(version, int(status), headers, self._body(to, int(status), headers, is_chunked), is_chunked)

    @property
    def is_closed(self) -> bool:
        """By the server, and nothing more came."""
        return self._file.read(1) == b""

    def _line(self) -> str:
        line = self._file.readline(65_536)
        assert line.endswith(b"\r\n"), line
        return line[:-2].decode("latin-1")

    def _headers(self) -> Iterator[tuple[str, str]]:
        while line := self._line():
            name, _, value = line.partition(":")
            assert name == name.strip(), "RFC 9112, 5.1: no blank before the colon"
            yield name.lower(), value.strip()

    def _body(self, to: str, status: int, headers: dict[str, str], is_chunked: bool) -> bytes:
        """RFC 9112, 6.3."""
        if to == "HEAD" or status < 200 or status in (204, 304):
            return b""
        if is_chunked:
            return b"".join(self._chunks())
        if "content-length" in headers:
            return self._file.read(int(headers["content-length"]))
        return self._file.read()

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self._line(), 16):
            yield self._file.read(size)
            assert self._line() == ""
        assert self._line() == "", "no trailers"


@contextmanager
def connected(house: Installation) -> Iterator[Connection]:
    connection = Connection(house)
    try:
        yield connection
    finally:
        connection.close()


def chat(text: str = "one two three", *, stream: bool = False, model: str = "sandbox/echo") -> bytes:
    return json.dumps({"model": model, "messages": [{"role": "user", "content": text}], "stream": stream}).encode()


def events_of(stream: bytes) -> list[str]:
    """Data of the events, by the rules of the event stream format; a comment is none."""
    events: list[str] = []
    for block in stream.decode().split("\n\n")[:-1]:
        lines = [line for line in block.split("\n") if not line.startswith(":")]
        assert all(line.startswith("data: ") for line in lines), block
        events.extend(line.removeprefix("data: ") for line in lines)
    assert stream.endswith(b"\n\n"), "the last event is ended, too"
    return events
