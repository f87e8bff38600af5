"""A compressed request body, decoded piece by piece: no piece is larger than PIECE_BYTES, whatever was sent."""

import re
import zlib
from collections.abc import Iterator

from domain.errors import DomainError

ENCODINGS = ("gzip", "deflate")

PIECE_BYTES = 256 * 1024
_FED_BYTES = 64 * 1024
"""Fed to zlib at once, which copies what it has not decoded yet: the smaller, the less is copied."""

_GZIP, _ZLIB, _BARE = 31, 15, -15
_TOKEN = re.compile(r"[A-Za-z0-9_.-]{1,40}")


def encoding_of(header: bytes) -> str:
    """The one encoding of a body, empty if it has none. Raises: DomainError unsupported_media_type naming it."""
    sent = header.decode("latin-1").strip().lower()
    encoding = {"identity": "", "x-gzip": "gzip"}.get(sent, sent)
    if encoding and encoding not in ENCODINGS:
        named = sent if _TOKEN.fullmatch(sent) else "such an encoding"
        raise DomainError("unsupported_media_type", encoding=named)
    return encoding


def pieces_of(body: bytes, encoding: str) -> Iterator[bytes]:
    """The decoded body, at most PIECE_BYTES at once. Raises: DomainError invalid_request if it is broken or cut short.

    One member only: a flood of empty ones would cost time without bound.
    """
    decoding = zlib.decompressobj(_format_of(body, encoding))
    view = memoryview(body)
    try:
        for start in range(0, len(body), _FED_BYTES):
            fed: bytes | memoryview = view[start : start + _FED_BYTES]
            while len(fed) and not decoding.eof:
                yield decoding.decompress(fed, PIECE_BYTES)
                fed = decoding.unconsumed_tail
            if decoding.eof and (decoding.unused_data or start + _FED_BYTES < len(body)):
                raise _broken(encoding)
        while not decoding.eof and (piece := decoding.decompress(b"", PIECE_BYTES)):
            yield piece
    except zlib.error:
        raise _broken(encoding) from None
    if not decoding.eof:
        raise _broken(encoding)


def _format_of(body: bytes, encoding: str) -> int:
    """`deflate` means a zlib stream; many clients send it without its head."""
    if encoding == "gzip":
        return _GZIP
    has_head = len(body) >= 2 and body[0] & 0x0F == 8 and int.from_bytes(body[:2], "big") % 31 == 0
    return _ZLIB if has_head else _BARE


def _broken(encoding: str) -> DomainError:
    return DomainError(
        "invalid_request", param="Content-Encoding", message=f"the body is not one whole {encoding} stream"
    )
