"""Streams: the same chunks however the bytes were split, and a broken stream is never taken for a whole one."""

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.outbound.providers.dialects import sse
from adapters.outbound.providers.dialects.openai import read_stream
from adapters.outbound.providers.failures import BrokenAnswer, ErrorClass
from application.ports.provider_answer import NEXT_EVENT, Chunk
from tests.adapters.providers.call_words import GENERATION_ID, MODEL, a_call, an_endpoint, last_usage

USAGE = {"prompt_tokens": 3, "completion_tokens": 2}


def a_chunk(content: str = "", finish_reason: str | None = None, index: int = 0, **members: Any) -> bytes:
    choice = {"index": index, "delta": {"content": content}, "finish_reason": finish_reason}
    return msgspec.json.encode({"id": "chatcmpl-1", "model": "native", "choices": [choice], **members})


def usage_chunk(**usage: Any) -> bytes:
    return msgspec.json.encode({"id": "chatcmpl-1", "model": "native", "choices": [], "usage": usage or USAGE})


def events(*documents: bytes, line_end: bytes = b"\n") -> bytes:
    return b"".join(b"data: " + document + line_end * 2 for document in documents)


def outcome(parts: Iterable[bytes]) -> tuple[list[Chunk], ErrorClass | None]:
    """All chunks, and how the stream broke, if it did."""
    reader = read_stream(a_call(), an_endpoint())
    chunks: list[Chunk] = []
    try:
        for part in parts:
            chunks += _each(reader.feed(part), chunks)
        chunks += _each(reader.end(), chunks)
    except BrokenAnswer as broken:
        return chunks, broken.error_class
    return chunks, None


def events_of(chunks: list[Chunk], broken: ErrorClass | None) -> tuple[object, ...]:
    """What comes out, whichever of it came as one chunk."""
    said = [event for chunk in chunks for event in chunk.data.split(NEXT_EVENT)]
    told = [msgspec.structs.replace(chunk, data=b"", output_bytes=0) for chunk in chunks]
    return said, sum(chunk.output_bytes for chunk in chunks), [one for one in told if one != Chunk(data=b"")], broken


def _each(source: Iterable[Chunk], chunks: list[Chunk]) -> list[Chunk]:
    for chunk in source:
        chunks.append(chunk)
    return []


CONTENT = st.text(alphabet='ab"\\{}[]:, \n\té😀', max_size=8)
DOCUMENTS = st.lists(
    st.one_of(
        CONTENT.map(a_chunk),
        CONTENT.map(lambda text: a_chunk(text, usage=USAGE)),
        st.just(a_chunk(finish_reason="stop")),
        st.just(usage_chunk()),
        st.just(b"[DONE]"),
        st.just(b'{"error":{"message":"no"}}'),
        st.just(b'{"choices":'),
        st.just(a_chunk("x").replace(b'"x"', b'"\xff"')),
        st.just(a_chunk("x").replace(b'"x"', b'"\\ud83d"')),
    ),
    max_size=6,
)
FRAMES = st.sampled_from([b": ping\n\n", b"event: x\nid: 1\nretry: 9\n", b"\n\n", b"data:\n\n", b"data\r\n\r\n", b""])


@st.composite
def split_streams(draw: st.DrawFn) -> tuple[bytes, list[bytes]]:
    line_end = draw(st.sampled_from([b"\n", b"\r\n"]))
    stream = b"".join(draw(FRAMES) + events(document, line_end=line_end) for document in draw(DOCUMENTS))
    stream = stream[: len(stream) - draw(st.integers(0, 4))]
    cuts = sorted(draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    bounds = [0, *cuts, len(stream)]
    return stream, [stream[start:end] for start, end in pairwise(bounds)]


@given(split_streams())
def test_any_split_of_the_bytes_gives_the_same_events(split: tuple[bytes, list[bytes]]) -> None:
    stream, parts = split
    assert events_of(*outcome(parts)) == events_of(*outcome([stream]))
    assert events_of(*outcome(bytes([byte]) for byte in stream)) == events_of(*outcome([stream]))


def test_an_empty_text_is_bare_also_in_a_run() -> None:
    """Until there is output another provider may be tried."""
    chunks, _ = outcome([events(*[a_chunk("")] * 5)])
    assert all(chunk.is_bare for chunk in chunks)
    chunks, _ = outcome([events(a_chunk(""), a_chunk("x"), a_chunk(""))])
    assert [chunk.is_bare for chunk in chunks] == [True, False, True]


@given(CONTENT)
def test_content_is_never_rewritten(content: str) -> None:
    imitation = f'{content}"id":"chatcmpl-1","model":"native","usage":{{}}\n\ndata: [DONE]'
    (chunk, _), _ = outcome([events(a_chunk(imitation), a_chunk(finish_reason="stop"))])
    data = msgspec.json.decode(chunk.data)
    assert data["choices"][0]["delta"]["content"] == imitation
    assert (data["id"], data["model"]) == (GENERATION_ID, MODEL)
    assert chunk.output_bytes == len(imitation.encode())


def test_reasoning_details_in_deltas_count_as_output_beside_an_empty_content() -> None:
    details = [{"type": "reasoning.text", "text": "x" * 1_120, "index": 0}]
    delta = {"content": "", "reasoning_details": details}
    chunk = msgspec.json.encode({"id": "up", "choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
    chunks, _ = outcome([events(chunk, chunk, chunk, chunk, a_chunk("42", "stop"), b"[DONE]")])
    assert sum(each.output_bytes for each in chunks) == 4_482


def test_data_over_several_lines_is_one_event() -> None:
    document = a_chunk("x", finish_reason="stop")
    middle = document.index(b",") + 1
    stream = b"data: " + document[:middle] + b"\ndata: " + document[middle:] + b"\n\n"
    chunks, broken = outcome([stream])
    assert broken is None
    assert msgspec.json.decode(chunks[0].data)["choices"][0]["delta"]["content"] == "x"


@pytest.mark.parametrize("line_end", [b"\ndata: ", b"\r\ndata:", b"\r"])
@pytest.mark.parametrize("behind", [b"", b'"choices":'])
def test_line_ends_between_tokens_never_reach_the_client(line_end: bytes, behind: bytes) -> None:
    """They would end the event's line there, whichever way the chunk was read: the first alone, the others by it."""
    plain = [a_chunk(f"w{n}") for n in range(9)]
    spelt = [respelt(document, behind, line_end) for document in plain]
    chunks, broken = outcome([events(*plain[:3], *spelt[3:], *plain), events(a_chunk(finish_reason="stop"))])
    said = [event for chunk in chunks for event in chunk.data.split(NEXT_EVENT)]
    assert broken is None
    assert not [event for event in said if b"\n" in event or b"\r" in event]
    texts = [msgspec.json.decode(event)["choices"][0]["delta"]["content"] for event in said]
    assert texts == [*(f"w{n}" for n in range(9)), *(f"w{n}" for n in range(9)), ""]


def respelt(document: bytes, behind: bytes, line_end: bytes) -> bytes:
    start = document.index(behind)
    return document[:start] + document[start:].replace(b",", b"," + line_end)


def test_a_usage_chunk_carries_no_data_because_the_gateway_writes_its_own() -> None:
    chunks, _ = outcome([events(a_chunk("x", finish_reason="stop"), usage_chunk(), b"[DONE]")])
    assert chunks[-1].data == b""
    assert chunks[-1].usage == {"input": 3, "output": 2}


def test_usage_beside_the_finish_reason_is_taken_out_and_the_chunk_is_the_last() -> None:
    (chunk,), _ = outcome([events(a_chunk("x", finish_reason="stop", usage=USAGE), b"[DONE]")])
    assert chunk.is_last
    assert chunk.usage == {"input": 3, "output": 2}
    assert b"usage" not in chunk.data


def test_a_usage_of_null_in_every_chunk_is_taken_out_and_is_none() -> None:
    chunks, _ = outcome([events(a_chunk("x", usage=None), a_chunk(finish_reason="stop", usage=None))])
    assert all(chunk.raw_usage is None and b"usage" not in chunk.data for chunk in chunks)


def test_cumulative_usage_in_every_chunk_ends_with_the_truth() -> None:
    counted = [a_chunk("x", usage={"prompt_tokens": 3, "completion_tokens": count}) for count in (1, 2, 3)]
    chunks, _ = outcome([events(*counted, a_chunk(finish_reason="stop"))])
    assert last_usage(chunks) == {"input": 3, "output": 3}


def test_a_usage_of_null_inside_x_groq_hides_no_other() -> None:
    reader = read_stream(a_call(), an_endpoint("x_groq_usage"))
    document = a_chunk("x", finish_reason="stop", x_groq={"id": "req_1", "usage": None}, usage=USAGE)
    (chunk,) = reader.feed(events(document))
    assert chunk.usage == {"input": 3, "output": 2}


def test_poisonous_usage_in_a_chunk_does_not_break_the_stream() -> None:
    poisoned = usage_chunk().replace(b":2}", b":NaN}")
    chunks, broken = outcome([events(a_chunk("x", finish_reason="stop"), poisoned, b"[DONE]")])
    assert broken is None
    assert last_usage(chunks) == {"input": 3, "output": -1}


def test_what_follows_done_is_ignored() -> None:
    whole = events(a_chunk("x", finish_reason="stop"), b"[DONE]")
    assert outcome([whole, b"data: {broken\n\n", events(b'{"error":{}}')]) == outcome([whole])


def test_late_usage_after_the_finish_reason_is_read() -> None:
    chunks, broken = outcome([events(a_chunk("x", finish_reason="stop")), b"", events(usage_chunk(), b"[DONE]")])
    assert broken is None
    assert last_usage(chunks) == {"input": 3, "output": 2}


@pytest.mark.parametrize(
    ("stream", "error_class"),
    [
        (b"", ErrorClass.TRUNCATED_STREAM),
        (events(a_chunk("x")), ErrorClass.TRUNCATED_STREAM),
        (events(usage_chunk()), ErrorClass.TRUNCATED_STREAM),
        (events(a_chunk("x")) + b'data: {"id":"chatcm', ErrorClass.TRUNCATED_STREAM),
        (events(a_chunk("x", "stop", 0), a_chunk("y", None, 1)), ErrorClass.TRUNCATED_STREAM),
        (events(a_chunk("x")) + b'data: {"id":"chatcm\n\n', ErrorClass.MALFORMED_ANSWER),
        (events(b"[]"), ErrorClass.MALFORMED_ANSWER),
        (events(b'{"choices":"x"}'), ErrorClass.MALFORMED_ANSWER),
        (events(a_chunk("x"), b'{"error":{"message":"no","code":502}}'), ErrorClass.ERROR_IN_ANSWER),
        (b'event: error\ndata: {"error":{"message":"no"}}\n\n', ErrorClass.ERROR_IN_ANSWER),
    ],
)
def test_a_broken_stream_says_how_it_broke(stream: bytes, error_class: ErrorClass) -> None:
    assert outcome([stream])[1] is error_class


@pytest.mark.parametrize(
    "stream",
    [
        events(a_chunk("x", finish_reason="stop")),
        events(a_chunk("x", finish_reason="stop"))[:-1],
        events(a_chunk("x", finish_reason="stop"))[:-2],
        events(a_chunk("x"), b"[DONE]")[:-2],
        events(a_chunk("x", "stop", 0), a_chunk("y", "stop", 1)),
    ],
)
def test_a_whole_stream_may_lack_done_or_its_last_line_breaks(stream: bytes) -> None:
    chunks, broken = outcome([stream])
    assert broken is None
    assert len(chunks) >= 1


def test_events_without_choices_are_no_chunks() -> None:
    assert outcome([events(b'{"type":"ping"}', a_chunk("x", finish_reason="stop"))])[0] != []
    assert len(outcome([events(b'{"type":"ping"}', a_chunk("x", finish_reason="stop"))])[0]) == 1


def test_an_index_that_is_no_index_does_not_break_the_stream() -> None:
    strange = a_chunk("x", finish_reason="stop").replace(b'"index":0', b'"index":[1]')
    assert outcome([events(strange)])[1] is None


def test_an_event_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "MAX_EVENT_BYTES", 400)
    good = events(a_chunk("x"))
    for parts in ([good + b"data: " + b"x" * 500], [good, b"data: ", b"x" * 200, b"x" * 300]):
        chunks, broken = outcome(parts)
        assert (len(chunks), broken) == (1, ErrorClass.EVENT_TOO_LARGE)
    assert outcome([good * 50 + events(a_chunk("x", finish_reason="stop"))])[1] is None


def test_half_a_character_in_a_usage_breaks_nothing() -> None:
    """Met by the fuzzing provider: no such text can be written as UTF-8."""
    odd = [usage_chunk(note="x", prompt_tokens=n, completion_tokens=2).replace(b'"x"', b'"\\ud83d"') for n in (1, 3)]
    chunks, broken = outcome([events(a_chunk("x", finish_reason="stop"), *odd, b"[DONE]")])
    assert broken is None
    assert msgspec.json.decode(chunks[-1].raw_usage or b"")["note"] == "?"
    assert last_usage(chunks) == {"input": 3, "output": 2}
