"""How streams begin and end, in all the ways that providers have for it."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.outbound.providers.dialects.openai import read_answer, read_stream
from adapters.outbound.providers.failures import BrokenAnswer, ErrorClass
from application.ports.provider_answer import Chunk
from tests.adapters.providers.call_words import GENERATION_ID, MODEL, a_call, an_endpoint

DONE = b"data: [DONE]\n\n"
MARK = b"\xef\xbb\xbf"


def chunk(*choices: dict[str, Any], **members: Any) -> bytes:
    return b"data: " + msgspec.json.encode({"id": "x", "created": 7, "choices": list(choices), **members}) + b"\n\n"


def text(content: str, index: int = 0, finish_reason: Any = None) -> dict[str, Any]:
    return {"index": index, "delta": {"content": content}, "finish_reason": finish_reason}


def end(index: int = 0, reason: str = "stop") -> dict[str, Any]:
    return {"index": index, "delta": {}, "finish_reason": reason}


def read(*parts: bytes) -> list[Chunk]:
    reader = read_stream(a_call(), an_endpoint())
    chunks = [found for part in parts for found in reader.feed(part)]
    return [*chunks, *reader.end()]


def broken(*parts: bytes) -> BrokenAnswer:
    with pytest.raises(BrokenAnswer) as raised:
        read(*parts)
    return raised.value


@pytest.mark.parametrize("marked", [(MARK,), (MARK[:1], MARK[1:]), (MARK[:2], MARK[2:]), ()])
def test_a_byte_order_mark_is_dropped_wherever_it_is_split(marked: tuple[bytes, ...]) -> None:
    stream = chunk(text("Hello")) + chunk(end()) + DONE
    assert [found.data for found in read(*marked, stream)] == [found.data for found in read(stream)]


@pytest.mark.parametrize("blank", [b"\n", b"\n\n", b"\n\n\n", b"\r\n", b"\r\n\r\n"])
@pytest.mark.parametrize("is_split", [False, True])
def test_blank_lines_too_many_between_events_are_nothing(blank: bytes, is_split: bool) -> None:
    plain = [chunk(text("One")), chunk(text("Two")), chunk(end()), DONE]
    spaced = [event + blank for event in plain]
    found = read(*spaced) if is_split else read(b"".join(spaced))
    assert b"".join(one.data for one in found) == b"".join(one.data for one in read(*plain))
    assert sum(one.output_bytes for one in found) == 6


def test_a_marked_answer_is_read() -> None:
    body = msgspec.json.encode({"choices": [{"index": 0, "message": {"content": "Hello"}, "finish_reason": "stop"}]})
    assert read_answer(MARK + body, a_call(), an_endpoint()).output_bytes == 5


@pytest.mark.parametrize("data", [b'{"message":"no"}', b"", b"{}", b"null", b"overloaded", b'{"choices":[]}'])
@pytest.mark.parametrize("name", [b"event: error", b"event:error", b"event:  error "])
def test_an_event_named_error_is_one_whatever_it_holds_and_whatever_follows(data: bytes, name: bytes) -> None:
    stream = chunk(text("So far")) + name + b"\ndata: " + data + b"\n\n" + DONE
    assert broken(stream).error_class is ErrorClass.ERROR_IN_ANSWER


def test_its_words_are_told() -> None:
    error = broken(chunk(text("So far")), b'event: error\ndata: {"error":{"message":"why","code":429}}\n\n').error
    assert (error.message, error.status) == ("why", 429)


def test_events_of_other_names_are_read() -> None:
    stream = b"event: message\n" + chunk(text("Hello")) + b"event: done\n" + chunk(end()) + DONE
    assert [found.output_bytes for found in read(stream)] == [5, 0]


def test_an_empty_finish_reason_becomes_null_and_all_else_stays() -> None:
    choice = b'{"index":0,"delta":{"content":"a","n":1.0e1},"finish_reason":"","x":12345678901234567890}'
    first = read(b'data: {"choices":[' + choice + b"]}\n\n", chunk(end()), DONE)[0]
    assert b'"finish_reason":null' in first.data
    assert b"1.0e1" in first.data
    assert b"12345678901234567890" in first.data
    assert not first.is_last


def test_a_stream_that_says_done_without_a_finish_reason_gets_one() -> None:
    *_, last = read(chunk(text("Hello")), chunk(text(" you")), DONE)
    assert (last.is_last, last.finish_reason) == (True, "stop")
    assert json.loads(last.data) == {
        "id": GENERATION_ID,
        "object": "chat.completion.chunk",
        "created": 7,
        "model": MODEL,
        "provider": "acme",
        "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}],
    }


def test_one_that_called_a_tool_gets_that_for_a_reason() -> None:
    call = {"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"name": "f", "arguments": "{}"}}]}}
    *_, last = read(chunk(call), DONE)
    assert last.finish_reason == "tool_calls"


def test_each_choice_without_a_reason_gets_one() -> None:
    found = read(chunk(text("a")), chunk(text("b", 1)), chunk(text("c", 2)), chunk(end(1)), DONE)
    assert [(one.choices, one.finish_reason) for one in found if one.is_last] == [
        ((1,), "stop"),
        ((0,), "stop"),
        ((2,), "stop"),
    ]


@pytest.mark.parametrize(
    "stream",
    [
        DONE,
        chunk({"index": 0, "delta": {"role": "assistant"}}) + DONE,
        chunk(text("")) + DONE,
        chunk(usage={"prompt_tokens": 9, "completion_tokens": 0}) + DONE,
    ],
)
def test_done_after_nothing_is_no_answer(stream: bytes) -> None:
    assert broken(stream).error_class is ErrorClass.EMPTY_ANSWER


def test_hidden_reasoning_that_was_counted_is_an_answer() -> None:
    assert read(chunk(text("")), chunk(usage={"prompt_tokens": 9, "completion_tokens": 4}), DONE)


def test_an_empty_answer_with_a_finish_reason_is_one() -> None:
    assert [found.finish_reason for found in read(chunk(end(reason="length")), DONE)] == ["length"]
    body = {"choices": [{"index": 0, "message": {"content": ""}, "finish_reason": "stop"}]}
    assert read_answer(msgspec.json.encode(body), a_call(), an_endpoint()).finish_reason == "stop"


def test_a_whole_answer_of_nothing_is_none() -> None:
    body = msgspec.json.encode({"choices": [{"index": 0, "message": {"content": ""}, "finish_reason": None}]})
    with pytest.raises(BrokenAnswer) as raised:
        read_answer(body, a_call(), an_endpoint())
    assert raised.value.error_class is ErrorClass.EMPTY_ANSWER


@pytest.mark.parametrize(
    "choice",
    [
        {"index": 0, "delta": {"content": ""}, "finish_reason": "error"},
        {"index": 0, "delta": {}, "finish_reason": None, "error": {"message": "no", "code": 429}},
    ],
)
def test_a_choice_that_failed_is_a_failure(choice: dict[str, Any]) -> None:
    assert broken(chunk(text("So far")), chunk(choice), DONE).error_class is ErrorClass.ERROR_IN_ANSWER
    body = msgspec.json.encode({"choices": [{**choice, "message": {"content": "So far"}}]})
    with pytest.raises(BrokenAnswer) as raised:
        read_answer(body, a_call(), an_endpoint())
    assert raised.value.error_class is ErrorClass.ERROR_IN_ANSWER


def test_of_choices_in_one_chunk_only_those_that_end_are_last() -> None:
    found = read(chunk(text("a"), text("b", 1)), chunk(end(), text("c", 1)), chunk(end(1)), DONE)
    assert [(one.choices, one.is_last, one.output_bytes) for one in found] == [
        ((0, 1), False, 2),
        ((0,), True, 0),
        ((1,), False, 1),
        ((1,), True, 0),
    ]
    assert all(json.loads(one.data)["id"] == GENERATION_ID for one in found)


@given(st.lists(st.tuples(st.integers(0, 2), st.text(max_size=5)), min_size=1, max_size=12), st.data())
def test_chunks_name_their_choices_however_the_bytes_are_split(
    pieces: list[tuple[int, str]], data: st.DataObject
) -> None:
    stream = b"".join(chunk(text(content, index)) for index, content in pieces) + chunk(text("x")) + DONE
    cuts = sorted(data.draw(st.sets(st.integers(1, len(stream) - 1), max_size=6)))
    parts = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    by_choice: dict[int, str] = {}
    for found in read(*parts):
        for event in found.data.split(b"\n\ndata: "):
            for choice in json.loads(event)["choices"]:
                assert choice["index"] in found.choices
                by_choice[choice["index"]] = by_choice.get(choice["index"], "") + (choice["delta"].get("content") or "")
    wanted: dict[int, str] = {}
    for index, content in [*pieces, (0, "x")]:
        wanted[index] = wanted.get(index, "") + content
    assert by_choice == wanted
