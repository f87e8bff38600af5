"""Chunks read as a run say what they say one by one: to the client, and to billing; what is malformed stays so."""

import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.outbound.providers.dialects.openai import read_stream
from adapters.outbound.providers.dialects.openai_run import MAX_LEARNT
from adapters.outbound.providers.failures import BrokenAnswer
from application.ports.provider_answer import NEXT_EVENT, Chunk
from tests.adapters.providers.call_words import MODEL, a_call, an_endpoint

FORMS = (
    b'{"id":"u","model":"m","choices":[{"index":0,"delta":{"content":"%b"},"finish_reason":null}]}',
    b'{"id":"u","model":"m","choices":[{"index":0,"delta":{"content":"%b"},"finish_reason":null}],"usage":null}',
    b'{"id":"u","model":"m","choices":[{"index":1,"delta":{"content":"%b"},"finish_reason":null}]}',
    b'{"id":"u","model":"m","choices":[{"index":0,"delta":{"content":"","reasoning":"%b"},"finish_reason":null}]}',
    b'{"id": "u", "model": "m", "choices": [{"index": 0, "delta": {"role": "assistant", "content": "%b"}}]}',
    b'{"id":"u","model":"m","choices":[{"index":0,"delta":{"content":"%b","cont\\u0065nt":"x"}}]}',
    b'{"id":"u","model":"m","choices":[{"index":0,"delta":{"content":"%b","content":""}}]}',
    b'{"id":"u","model":"m","choices":[{"index":0,"delta":{"reasoning":"x","content":"%b"}}]}',
    b'{"id":"u","model":"m","choices":[{"index":0,"delta":{"content":"%b"}}],"obfuscation":"aB3"}',
    b'{"id":"u","model":"m","choices":[{"index":0,"delta":{"content":"%b"},"finish_reason":"stop"}]}',
)
MANY = b"".join  # bytes of a text as it stands between its quotes, valid or not
PIECES = (b"a", b" ", b'\\"', b"\\\\", b"\\n", b"\\u00e9", "é".encode(), "😀".encode(), b"\\ud83d\\ude00")
BROKEN = (b'"', b"\\", b"\\u12", b"\x01", b"\xff", "é".encode()[:1], b'","', b',"', b'"},"', b"\\ud83d")

VALID = st.lists(st.sampled_from(PIECES), max_size=4).map(MANY)
ANY = st.lists(st.sampled_from((*PIECES, *BROKEN)), max_size=4).map(MANY)
STREAMS = st.one_of(
    st.lists(st.tuples(st.sampled_from(FORMS[:3]), VALID), min_size=3, max_size=12),
    st.lists(st.tuples(st.sampled_from(FORMS), st.one_of(VALID, VALID, VALID, ANY)), min_size=3, max_size=9),
    st.tuples(st.sampled_from(FORMS), st.lists(st.one_of(VALID, VALID, ANY), min_size=3, max_size=9)).map(
        lambda run: [(run[0], text) for text in run[1]]
    ),
)


def outcome(parts: Sequence[bytes], reader: Any = None) -> tuple[list[Any], int, bool]:
    """The events that came out, how much was produced, and whether it broke."""
    reader = read_stream(a_call(), an_endpoint()) if reader is None else reader
    said: list[Any] = []
    output_bytes = 0
    try:
        for part in parts:
            for chunk in reader.feed(part):
                said += [json.loads(event) for event in chunk.data.split(NEXT_EVENT)]
                output_bytes += chunk.output_bytes
    except BrokenAnswer:
        return said, output_bytes, True
    return said, output_bytes, False


def the_long_way(events: Sequence[bytes]) -> tuple[list[Any], int, bool]:
    """Each event read by a reader that has seen no other: it takes all apart."""
    said: list[Any] = []
    output_bytes = 0
    for event in events:
        one, size, broken = outcome([event])
        said, output_bytes = said + one, output_bytes + size
        if broken:
            return said, output_bytes, True
    return said, output_bytes, False


def framed(document: bytes) -> bytes:
    return b"data: " + document + b"\n\n"


ESCAPED_END = [(FORMS[0], text) for text in (b"a", b"b", b"c\\", b',"d')]
QUOTED = [(FORMS[0], text) for text in (b"a", b"b", b'c","d', b"e")]
MISSING_ONE = [(FORMS[0], text) for text in (b"a", b"b", b'c","d', b"e\\", b"f")]
HALVES = [(FORMS[0], text) for text in (b"a", b"b", "é".encode()[:1], "é".encode()[1:])]


@given(STREAMS, st.lists(st.integers(0, 1_000), max_size=4))
@example(ESCAPED_END, [])
@example(QUOTED, [])
@example(MISSING_ONE, [])
@example(HALVES, [])
def test_a_run_says_what_its_chunks_say_one_by_one(stream: list[tuple[bytes, bytes]], cuts: list[int]) -> None:
    events = [framed(form.replace(b"%b", text)) for form, text in stream]
    whole = b"".join(events)
    bounds = [0, *sorted(cut for cut in cuts if cut < len(whole)), len(whole)]
    parts = [whole[start:end] for start, end in pairwise(bounds)]
    assert outcome(parts) == the_long_way(events)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_counted_and_passed_on_alike(form: bytes) -> None:
    events = [framed(form.replace(b"%b", text)) for text in (b"a", b"bb", b"\xc3\xa9", b"", b"d\\n")]
    assert outcome([b"".join(events)]) == the_long_way(events)


def chunks_of(documents: Sequence[bytes]) -> list[Chunk]:
    return list(read_stream(a_call(), an_endpoint()).feed(b"".join(map(framed, documents))))


@pytest.mark.parametrize("form", FORMS[:5])
def test_a_hundred_chunks_of_one_form_are_three(form: bytes) -> None:
    """The first is taken apart, the second spliced, and the rest are a run."""
    chunks = chunks_of([form.replace(b"%b", b"word%d\\n" % n) for n in range(100)])
    assert [chunk.data.count(NEXT_EVENT) for chunk in chunks] == [0, 0, 97]
    assert all(msgspec.json.decode(event)["model"] == MODEL for event in chunks[2].data.split(NEXT_EVENT))


def test_a_run_ends_where_a_chunk_begins_like_it_and_ends_otherwise() -> None:
    documents = [FORMS[0].replace(b"%b", b"w%d" % n) for n in range(10)]
    documents.append(FORMS[9].replace(b"%b", b""))
    chunks = chunks_of(documents)
    assert [chunk.data.count(NEXT_EVENT) for chunk in chunks] == [0, 0, 7, 0]
    assert [chunk.is_last for chunk in chunks] == [False, False, False, True]


def test_a_stream_that_keeps_changing_its_form_is_left_alone() -> None:
    """Looking for runs where there are none must not cost a look at everything that follows, at each event."""
    form = {"id": "u", "model": "m"}
    documents = [
        msgspec.json.encode({**form, "choices": [{"index": n % 2, "delta": {"content": f"w{n}"}}]}) for n in range(100)
    ]
    reader = read_stream(a_call(), an_endpoint())
    chunks = list(reader.feed(b"".join(map(framed, documents))))
    assert len(chunks) == 100
    assert reader._run._learnt == MAX_LEARNT  # what it costs cannot be seen from outside
