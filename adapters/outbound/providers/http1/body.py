"""Where the body of a response ends (RFC 9112, 6 and 7), and what of received bytes belongs to it."""

import re
from typing import Protocol

from adapters.outbound.providers.http1.faults import ConnectionBroken, MalformedResponse

MAX_CHUNK_DIGITS = 8
"""Hexadecimal digits of a chunk's size: 4 GiB."""

LINE_END = b"\r\n"

MAX_LINE_BYTES = MAX_CHUNK_DIGITS + 2 * len(LINE_END)
"""A size between the end of the chunk before it and its own."""


class Body(Protocol):
    """is_done:  the end was received. excess: bytes received beyond it."""

    is_done: bool
    excess: bool

    def feed(self, data: bytes) -> bytes:
        """The part of the body in `data`. Raises: MalformedResponse."""
        ...

    def end(self) -> None:
        """The peer sends no more. Raises: ConnectionBroken if the body is not done."""
        ...


class SizedBody:
    """As long as content-length says."""

    __slots__ = ("_left", "excess", "is_done")

    def __init__(self, size: int) -> None:
        self._left = size
        self.is_done = size == 0
        self.excess = False

    def feed(self, data: bytes) -> bytes:
        left = self._left - len(data)
        if left > 0:
            self._left = left
            return data
        self._left, self.is_done = 0, True
        if left == 0:
            return data
        self.excess = True
        return data[:left]

    def end(self) -> None:
        if not self.is_done:
            raise ConnectionBroken(f"{self._left} bytes of the body are missing")


class ChunkedBody:
    """In chunks. Chunk extensions and trailers are refused: no provider needs them, and they hide where a body ends."""

    __slots__ = ("_held", "_is_last", "_left", "excess", "is_done")

    def __init__(self) -> None:
        self._left = 0  # of the current chunk
        self._held = LINE_END  # an incomplete line; the first line too is read as if it followed a chunk
        self._is_last = False
        self.is_done = False
        self.excess = False

    def feed(self, data: bytes) -> bytes:
        if self._held:
            data, self._held = self._held + data, b""
        size, at = len(data), self._left
        if at >= size:
            self._left = at - size
            return data
        known = _KNOWN.get
        parts, start = [data[:at]], at
        while not self._is_last:
            start = at + USUAL_LINE_BYTES
            left = known(data[at:start])
            if left is None:
                line_end = data.find(LINE_END, at + 2, at + MAX_LINE_BYTES)
                if line_end < 0:
                    self._hold(data[at:])
                    return b"".join(parts)
                start = line_end + 2
                left = _size_of(data[at:start])
                if not left:
                    self._is_last = True
                    break
            at = start + left
            parts.append(data[start:at])
            if at >= size:
                self._left = at - size
                return b"".join(parts)
        self._left = 0
        self._end_at(data, start)
        return b"".join(parts)

    def end(self) -> None:
        if not self.is_done:
            raise ConnectionBroken("the last chunk is missing")

    def _hold(self, begun: bytes) -> None:
        """Keep the beginning of a line, unless no line may begin so."""
        if not _BEGUN.fullmatch(begun):
            raise MalformedResponse("no chunk begins where the one before ends")
        self._held, self._left = begun, 0

    def _end_at(self, data: bytes, at: int) -> None:
        ending = data[at : at + 2]
        if ending == LINE_END:
            self.is_done = True
            self.excess = len(data) > at + 2
        elif LINE_END.startswith(ending):
            self._held = ending
        else:
            raise MalformedResponse("trailers are not accepted")


def _size_of(line: bytes) -> int:
    """The size of a chunk, from its line with the line ends on both sides; the chunks of streams are much alike."""
    known = _KNOWN.get(line)
    if known is not None:
        return known
    if not _LINE.fullmatch(line):
        raise MalformedResponse("no chunk begins where the one before ends")
    size = int(line, 16)
    if size and len(line) >= USUAL_LINE_BYTES and len(_KNOWN) < MAX_KNOWN:
        _KNOWN[line] = size
    return size


USUAL_LINE_BYTES = len("\r\nff\r\n")
"""Of a chunk with 16 to 255 bytes, as an event of a few words is: looked up before its end is searched."""

MAX_KNOWN = 1_024
_KNOWN: dict[bytes, int] = {}
"""Sizes that were read, by their line; none is shorter than the usual one, so no end of the data passes for it."""

_LINE = re.compile(rb"\r\n[0-9a-fA-F]{1,%d}\r\n" % MAX_CHUNK_DIGITS)
_BEGUN = re.compile(rb"\r(\n([0-9a-fA-F]{1,%d}\r?)?)?" % MAX_CHUNK_DIGITS)


class BodyUntilEnd:
    """Until the peer closes the connection."""

    __slots__ = ("excess", "is_done")

    def __init__(self) -> None:
        self.is_done = False
        self.excess = False

    def feed(self, data: bytes) -> bytes:
        return data

    def end(self) -> None:
        self.is_done = True
