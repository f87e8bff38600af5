"""A spliced chunk says what the same chunk says when it is taken apart: to the client, and to billing."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.outbound.providers.dialects.openai import read_stream
from adapters.outbound.providers.failures import BrokenAnswer
from application.ports.provider_answer import Chunk
from tests.adapters.providers.call_words import GENERATION_ID, MODEL, a_call, an_endpoint

TEXTS = st.one_of(st.none(), st.text(alphabet='ab"\\{}[]:, \n\té😀', max_size=8))
DELTAS = st.dictionaries(
    st.sampled_from(["role", "content", "refusal", "reasoning", "reasoning_content", "annotations"]), TEXTS, max_size=4
)
REASONS = st.sampled_from([None, None, None, "", "stop"])
CHOICES = st.lists(
    st.fixed_dictionaries({"index": st.integers(0, 2), "delta": DELTAS, "finish_reason": REASONS}), max_size=2
)
AHEAD = st.sampled_from([{"id": "up-1", "model": "native"}, {"id": "up-1", "created": 7}, {"usage": None}, {}])
AFTER = st.sampled_from(
    [{}, {}, {"usage": None}, {"usage": {"prompt_tokens": 1}}, {"obfuscation": "x"}, {"model": "y"}, {"error": "e"}]
)


def one(event: bytes) -> Chunk | type[BrokenAnswer] | None:
    """The chunk as a reader sees it that has not seen any other, and takes all apart."""
    return read(event, read_stream(a_call(), an_endpoint()))


def read(event: bytes, reader: Any) -> Chunk | type[BrokenAnswer] | None:
    try:
        return next(iter(reader.feed(b"data: " + event + b"\n\n")), None)
    except BrokenAnswer:
        return BrokenAnswer


def meaning(chunk: Chunk | type[BrokenAnswer] | None) -> object:
    """All of it but the provider's id, which the first chunk has told already."""
    if not isinstance(chunk, Chunk):
        return chunk
    data = msgspec.json.decode(chunk.data) if chunk.data else None
    return data, msgspec.structs.astuple(msgspec.structs.replace(chunk, data=b"", provider_generation_id=""))


def documents(of: list[tuple[Any, Any, Any]]) -> list[bytes]:
    return [msgspec.json.encode({**ahead, "choices": choices, **after}) for ahead, choices, after in of]


@given(st.lists(st.tuples(AHEAD, CHOICES, AFTER), min_size=2, max_size=6).map(documents))
def test_a_chunk_means_the_same_whatever_came_before_it(events: Sequence[bytes]) -> None:
    reader = read_stream(a_call(), an_endpoint())
    for event in events:
        assert meaning(read(event, reader)) == meaning(one(event))


PLAIN = b'{"id":"up-1","object":"c","model":"native","choices":[{"index":0,"delta":{"content":"%s"}}]%s}'
LAST = b'{"id":"up-1","object":"c","model":"native","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}'


def spliced(first: bytes, second: bytes) -> bool:
    """Whether `second` was read without taking it apart, after `first`."""
    reader = read_stream(a_call(), an_endpoint())
    list(reader.feed(b"data: " + first + b"\n\n"))
    return reader._splice.read(second) is not None  # which way it goes cannot be seen from outside, and must not


@pytest.mark.parametrize("after", [b"", b',"usage":null', b',"usage":null,"obfuscation":"aB3"'])
def test_the_chunk_that_streams_are_made_of_is_not_taken_apart(after: bytes) -> None:
    assert spliced(PLAIN % (b"a", after), PLAIN % (b"b", after))


@pytest.mark.parametrize(
    "second",
    [
        LAST,
        PLAIN % (b"b", b',"usage":{"prompt_tokens":1}'),
        PLAIN % (b"b", b',"error":{"message":"no"}'),
        PLAIN % (b"b", b',"id":"other"'),
        PLAIN % (b"\xff", b""),
        (PLAIN % (b"b", b"")).replace(b"up-1", b"up-2"),
    ],
)
def test_what_billing_or_the_client_depends_on_is_taken_apart(second: bytes) -> None:
    assert not spliced(PLAIN % (b"a", b""), second)


def test_choices_deep_inside_another_member_are_not_taken_for_the_chunks_own() -> None:
    nested = b'{"id":"up-1","model":"m","x":{"choices":[1]},"choices":[{"index":0,"delta":{"content":"a"}}]}'
    assert not spliced(nested, nested)
    chunk = one(nested)
    assert isinstance(chunk, Chunk)
    assert msgspec.json.decode(chunk.data)["x"] == {"choices": [1]}


def test_the_rest_of_the_chunk_is_passed_on_byte_for_byte() -> None:
    reader = read_stream(a_call(), an_endpoint())
    list(reader.feed(b"data: " + PLAIN % (b"a", b"") + b"\n\n"))
    (chunk,) = reader.feed(b"data: " + PLAIN % (b"\\u00e9 1.0e1", b"") + b"\n\n")
    head = b'{"id":"%b","object":"c","model":"%b","provider":"acme",' % (GENERATION_ID.encode(), MODEL.encode())
    assert chunk.data == head + b'"choices":[{"index":0,"delta":{"content":"\\u00e9 1.0e1"}}]}'
    assert chunk.output_bytes == len("é 1.0e1".encode())
