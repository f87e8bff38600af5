"""Where the body of a response ends (RFC 9112, 6 and 7), and what of received bytes belongs to it."""

from typing import Protocol

from adapters.outbound.providers.http1.faults import ConnectionBroken, MalformedResponse

MAX_CHUNK_DIGITS = 8
"""Hexadecimal digits of a chunk's size: 4 GiB."""

HEX_DIGITS = b"0123456789abcdefABCDEF"
LINE_END = b"\r\n"


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

    __slots__ = ("_held", "_is_first", "_is_last", "_left", "excess", "is_done")

    def __init__(self) -> None:
        self._left = 0  # of the current chunk
        self._held = b""  # an incomplete line
        self._is_first, self._is_last = True, False
        self.is_done = False
        self.excess = False

    def feed(self, data: bytes) -> bytes:
        if self._held:
            data, self._held = self._held + data, b""
        size, left = len(data), self._left
        if left >= size:
            self._left = left - size
            return data
        parts = [data[:left]] if left else []
        at, self._left = left, 0
        while not self._is_last:
            line_end, start = self._size_line(data, at)
            if line_end < 0:
                return b"".join(parts)
            left = int(data[start:line_end], 16)
            at = line_end + 2
            if left == 0:
                self._is_last = True
                break
            chunk = data[at : at + left]
            if chunk:
                parts.append(chunk)
            at += left
            if at >= size:
                self._left = at - size
                return b"".join(parts)
        self._end_at(data, at)
        return b"".join(parts)

    def end(self) -> None:
        if not self.is_done:
            raise ConnectionBroken("the last chunk is missing")

    def _size_line(self, data: bytes, at: int) -> tuple[int, int]:
        """Where the size of the next chunk ends and begins; ends at -1 if the line is not complete."""
        start = at if self._is_first else at + 2
        line_end = data.find(LINE_END, start, start + MAX_CHUNK_DIGITS + 2)
        if line_end < 0:
            if len(data) - start > MAX_CHUNK_DIGITS + 1:
                raise MalformedResponse("a chunk's size is too long")
            self._refuse_if_wrong(data, at, start, len(data))
            self._held = data[at:]
            return -1, start
        self._refuse_if_wrong(data, at, start, line_end)
        if line_end == start:
            raise MalformedResponse("a chunk has no size")
        self._is_first = False
        return line_end, start

    @staticmethod
    def _refuse_if_wrong(data: bytes, at: int, start: int, line_end: int) -> None:
        if not LINE_END.startswith(data[at:start]) or data[start:line_end].rstrip(b"\r").strip(HEX_DIGITS):
            raise MalformedResponse("no chunk begins where the one before ends")

    def _end_at(self, data: bytes, at: int) -> None:
        ending = data[at : at + 2]
        if ending == LINE_END:
            self.is_done = True
            self.excess = len(data) > at + 2
        elif LINE_END.startswith(ending):
            self._held = ending
        else:
            raise MalformedResponse("trailers are not accepted")


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
