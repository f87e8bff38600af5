"""Heads of responses: what is read from them, and what is refused."""

from typing import Any

import pytest

from adapters.outbound.providers.http1.body import BodyUntilEnd, ChunkedBody, SizedBody
from adapters.outbound.providers.http1.faults import MalformedResponse
from adapters.outbound.providers.http1.head import read_head


def head(*lines: bytes, status: bytes = b"HTTP/1.1 200 OK") -> bytes:
    return b"".join(line + b"\r\n" for line in (status, *lines)) + b"\r\n"


def test_names_are_in_lower_case_and_repeated_ones_are_joined() -> None:
    found = read_head(head(b"Content-Length: 3", b"X-A: 1", b"x-a:   2 "))
    assert (found.status, found.headers[b"x-a"], found.headers[b"content-length"]) == (200, b"1, 2", b"3")


@pytest.mark.parametrize(
    ("data", "kind", "is_reusable"),
    [
        (head(b"content-length: 3"), SizedBody, True),
        (head(b"transfer-encoding: Chunked"), ChunkedBody, True),
        (head(), BodyUntilEnd, False),
        (head(b"content-length: 3", b"connection: close"), SizedBody, False),
        (head(b"content-length: 3", b"Connection: keep-alive, CLOSE"), SizedBody, False),
        (head(b"content-length: 3", b"connection: keep-alive"), SizedBody, True),
        (head(b"content-length: 3", status=b"HTTP/1.0 200 OK"), SizedBody, False),
        (head(b"content-length: 3", b"connection: keep-alive", status=b"HTTP/1.0 200 OK"), SizedBody, False),
        (head(status=b"HTTP/1.1 204 No Content"), SizedBody, True),
        (head(status=b"HTTP/1.1 304 Not Modified"), SizedBody, True),
        (head(b"content-length: 3", status=b"HTTP/1.1 200"), SizedBody, True),
        (head(b"content-length: 3", status=b"HTTP/1.1 599 Own Words"), SizedBody, True),
    ],
)
def test_where_the_body_ends_and_whether_the_connection_is_used_again(
    data: bytes, kind: Any, is_reusable: bool
) -> None:
    found = read_head(data)
    assert (type(found.body), found.is_reusable) == (kind, is_reusable)


@pytest.mark.parametrize(
    "data",
    [
        head(b"content-length: 3", b"transfer-encoding: chunked"),
        head(b"transfer-encoding: chunked", b"content-length: 3"),
        head(b"content-length: 3", b"content-length: 4"),
        head(b"content-length: 3", b"content-length: 3"),
        head(b"content-length: 3, 3"),
        head(b"content-length: +3"),
        head(b"content-length: -3"),
        head(b"content-length: 3x"),
        head(b"content-length: 0x3"),
        head(b"content-length: 1_0"),
        head(b"content-length: \xc2\xb2"),
        head(b"content-length: " + b"9" * 40),
        head(b"content-length:"),
        head(b"transfer-encoding: gzip"),
        head(b"transfer-encoding: gzip, chunked"),
        head(b"transfer-encoding: chunked, chunked"),
        head(b"transfer-encoding: chunked", b"transfer-encoding: identity"),
        head(b"transfer-encoding: xchunked"),
        head(b"transfer-encoding:"),
        head(b"content-length : 3"),
        head(b" content-length: 3"),
        head(b"a: 1", b" folded"),
        head(b"no colon"),
        head(b"a: \x00"),
        head(b"\x01: a"),
        head(status=b"HTTP/2 200 OK"),
        head(status=b"HTTP/1.2 200 OK"),
        head(status=b"HTTP/0.9 200 OK"),
        head(status=b"http/1.1 200 OK"),
        head(status=b"HTTP/1.1 20 OK"),
        head(status=b"HTTP/1.1 2000 OK"),
        head(status=b"HTTP/1.1 099 OK"),
        head(status=b"HTTP/1.1 600 OK"),
        head(status=b"HTTP/1.1 abc OK"),
        head(b"upgrade: x", b"connection: upgrade", status=b"HTTP/1.1 101 Switching Protocols"),
        head(status=b"SSH-2.0-x"),
        head(status=b"GET / HTTP/1.1"),
        b"HTTP/1.1 200 OK\ncontent-length: 3\n\r\n\r\n",
    ],
)
def test_what_leaves_a_doubt_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedResponse):
        read_head(data)
