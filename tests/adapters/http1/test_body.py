"""Where a body ends: against llhttp, which is not used for bodies, and against every way to be wrong."""

import itertools

import httptools
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.outbound.providers.http1.body import Body, BodyUntilEnd, ChunkedBody, SizedBody
from adapters.outbound.providers.http1.faults import ConnectionBroken, MalformedResponse

HEAD = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
CHUNKS = st.lists(st.binary(min_size=1, max_size=40) | st.binary(min_size=250, max_size=300), max_size=8)
CUTS = st.lists(st.integers(0, 1_000), max_size=12)


def chunked(chunks: list[bytes], upper: bool = False) -> bytes:
    size = b"%X\r\n%s\r\n" if upper else b"%x\r\n%s\r\n"
    return b"".join(size % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"


def cut(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({at % (len(data) + 1) for at in cuts} | {0, len(data)})
    return [data[at:to] for at, to in itertools.pairwise(places)]


def read(body: Body, pieces: list[bytes]) -> bytes:
    return b"".join(body.feed(piece) for piece in pieces)


class Heard:
    def __init__(self) -> None:
        self.body, self.is_done = b"", False

    def on_body(self, data: bytes) -> None:
        self.body += data

    def on_message_complete(self) -> None:
        self.is_done = True


def llhttp(pieces: list[bytes]) -> tuple[bytes, bool]:
    """Raises: httptools.HttpParserError."""
    heard = Heard()
    parser = httptools.HttpResponseParser(heard)
    parser.feed_data(HEAD)
    for piece in pieces:
        parser.feed_data(piece)
    return heard.body, heard.is_done


@given(CHUNKS, CUTS, st.booleans())
def test_chunks_come_back_however_they_are_cut(chunks: list[bytes], cuts: list[int], upper: bool) -> None:
    pieces = cut(chunked(chunks, upper), cuts)
    body = ChunkedBody()
    assert (read(body, pieces), body.is_done, body.excess) == (b"".join(chunks), True, False)
    assert llhttp(pieces) == (b"".join(chunks), True)
    body.end()


@given(CHUNKS, CUTS, st.data())
def test_what_llhttp_refuses_is_refused_and_nothing_else_ends_earlier_or_elsewhere(
    chunks: list[bytes], cuts: list[int], data: st.DataObject
) -> None:
    """One byte of the framing or of a chunk is another."""
    whole = bytearray(chunked(chunks))
    whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    pieces = cut(bytes(whole), cuts)
    body = ChunkedBody()
    try:
        found = read(body, pieces)
    except MalformedResponse:
        return  # we may be stricter: extensions, trailers, sizes of many digits
    try:
        theirs, is_done = llhttp(pieces)
    except httptools.HttpParserError:
        assert not body.is_done or body.excess, "llhttp reads on behind the end"
        return
    assert (found, body.is_done) == (theirs, is_done)


@given(CHUNKS, st.integers(1, 400), CUTS)
def test_a_body_that_is_cut_is_never_done(chunks: list[bytes], missing: int, cuts: list[int]) -> None:
    whole = chunked(chunks)
    body = ChunkedBody()
    found = read(body, cut(whole[: max(0, len(whole) - missing)], cuts))
    assert not body.is_done
    assert b"".join(chunks).startswith(found)
    with pytest.raises(ConnectionBroken):
        body.end()


@pytest.mark.parametrize(
    "data",
    [
        b"5;name=value\r\nhello\r\n0\r\n\r\n",
        b"5;a\r\nhello\r\n0\r\n\r\n",
        b"5 \r\nhello\r\n0\r\n\r\n",
        b" 5\r\nhello\r\n0\r\n\r\n",
        b"0x5\r\nhello\r\n0\r\n\r\n",
        b"+5\r\nhello\r\n0\r\n\r\n",
        b"-5\r\nhello\r\n0\r\n\r\n",
        b"5_0\r\nhello\r\n0\r\n\r\n",
        b"\r\nhello\r\n0\r\n\r\n",
        b"5\nhello\n0\n\n",
        b"5\r\nhello0\r\n\r\n",
        b"5\r\nhello!\r\n0\r\n\r\n",
        b"5\r\nhello!!5\r\nhello\r\n0\r\n\r\n",
        b"10\r\nsixteen letters.\r\n10\r\nsixteen letters.!!10\r\nsixteen letters.\r\n0\r\n\r\n",
        b"5\r\nhell\r\n0\r\n\r\n",
        b"000000005\r\nhello\r\n0\r\n\r\n",
        b"fffffffff\r\n",
        b"5\r\nhello\r\n0\r\nname: value\r\n\r\n",
        b"5\r\nhello\r\n0\r\n\rx",
        b"x",
        b"\xff\xff",
        b"5\r\r",
    ],
)
@pytest.mark.parametrize("size", [1, 2, 1_000])
def test_what_is_not_plain_chunks_is_refused(data: bytes, size: int) -> None:
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    body = ChunkedBody()
    with pytest.raises(MalformedResponse):
        read(body, pieces)
    assert not body.is_done


@given(st.binary(max_size=60), st.binary(max_size=9), CUTS)
def test_a_sized_body_ends_at_its_size_and_says_if_more_came(data: bytes, more: bytes, cuts: list[int]) -> None:
    pieces = cut(data + more, cuts)
    body = SizedBody(len(data))
    found = b""
    while pieces and not body.is_done:
        found += body.feed(pieces.pop(0))
    assert (found, body.is_done) == (data, True)
    assert body.excess == (len(b"".join(pieces)) < len(more))


@given(st.binary(min_size=1, max_size=60), st.data())
def test_a_sized_body_that_is_too_short_is_broken(data: bytes, draw: st.DataObject) -> None:
    body = SizedBody(len(data))
    body.feed(data[: draw.draw(st.integers(0, len(data) - 1))])
    assert not body.is_done
    with pytest.raises(ConnectionBroken):
        body.end()


def test_bytes_behind_the_last_chunk_are_seen() -> None:
    body = ChunkedBody()
    assert read(body, [b"2\r\nhi\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"]) == b"hi"
    assert (body.is_done, body.excess) == (True, True)


def test_a_body_without_a_length_ends_with_the_connection() -> None:
    body = BodyUntilEnd()
    assert (body.feed(b"all"), body.is_done) == (b"all", False)
    body.end()
    assert body.is_done
