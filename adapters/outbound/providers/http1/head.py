"""The head of a response: status, headers, and the framing of its body. Parsed by llhttp, which is strict."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import httptools

from adapters.outbound.providers.http1.body import Body, BodyUntilEnd, ChunkedBody, SizedBody
from adapters.outbound.providers.http1.faults import MalformedResponse

HEAD_END = b"\r\n\r\n"

MAX_HEAD_BYTES = 64 * 1024
"""Providers send 1 to 4 KB, many of them policies and request ids."""

BODILESS = frozenset({204, 304})


class ResponseHead(NamedTuple):
    """headers:    by lower-case name; the values of one that is repeated are joined by ", ".
    body:       reads the body.
    is_reusable: whether the peer keeps the connection open after this response.
    """

    status: int
    headers: Mapping[bytes, bytes]
    body: Body
    is_reusable: bool


class _Headers:
    """What the parser calls."""

    __slots__ = ("headers",)

    def __init__(self) -> None:
        self.headers: dict[bytes, bytes] = {}

    def on_header(self, name: bytes, value: bytes) -> None:
        name, value = name.lower(), value.strip(b" \t")
        known = self.headers.get(name)
        self.headers[name] = value if known is None else known + b", " + value


def read_head(data: bytes) -> ResponseHead:
    """`data` ends with the empty line. Raises: MalformedResponse."""
    found = _Headers()
    parser = httptools.HttpResponseParser(found)
    try:
        parser.feed_data(data)
    except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
        raise MalformedResponse(f"not an HTTP response: {error}") from error
    status, version, headers = parser.get_status_code(), parser.get_http_version(), found.headers
    if version not in ("1.1", "1.0") or not 100 <= status <= 599:
        raise MalformedResponse(f"HTTP {version}, status {status}")
    body = _body_of(status, headers)
    keeps = version == "1.1" and not isinstance(body, BodyUntilEnd)
    options = headers.get(b"connection", b"").lower()
    return ResponseHead(status, headers, body, keeps and b"close" not in _words(options))


def _body_of(status: int, headers: Mapping[bytes, bytes]) -> Body:
    """llhttp has refused two lengths, a length beside a transfer encoding, and one that is no number."""
    coding, length = headers.get(b"transfer-encoding"), headers.get(b"content-length")
    if coding is not None:
        if coding.lower() != b"chunked":
            raise MalformedResponse("a transfer encoding that is not accepted")
        return ChunkedBody()
    if length is not None:
        return SizedBody(0 if status in BODILESS or status < 200 else int(length))
    return SizedBody(0) if status in BODILESS or status < 200 else BodyUntilEnd()


def _words(value: bytes) -> Sequence[bytes]:
    return [word.strip() for word in value.split(b",")]
