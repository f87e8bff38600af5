"""What of a request and of an answer is text that a provider bills."""

from typing import Any

import msgspec
import pytest

from application.generate.metering.billed_texts import answer_text, prompt_text
from application.generate.request.read_chat_request import read_body
from application.ports.provider_answer import NEXT_EVENT


def encoded(value: Any) -> bytes:
    return msgspec.json.encode(value)


def asked(*content: Any, **more: Any) -> bytes:
    return encoded({"model": "a/m", "messages": [{"role": "user", "content": each} for each in content], **more})


def test_the_envelope_is_not_billed() -> None:
    plain = asked("hello")
    wrapped = encoded(
        {
            "model": "a/" + "m" * 190,
            "messages": [{"role": "user", "content": "hello"}],
            "metadata": {"k": "v" * 500},
            "user": "somebody" * 8,
            "stream": True,
            "stream_options": {"include_usage": True},
            "logit_bias": {str(i): -100 for i in range(300)},
        }
    )
    assert prompt_text(wrapped) == prompt_text(plain) == "hello"


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ({"content": "plain"}, "plain"),
        ({"content": [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]}, "one\ntwo"),
        ({"content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]}, ""),
        ({"content": [{"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}]}, ""),
        ({"content": None, "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]}, "f\n{}"),
        ({"content": "kept", "reasoning": "why", "reasoning_content": "why"}, "kept\nwhy"),
        ({"content": 7, "tool_calls": [7], "function_call": "f"}, ""),
    ],
)
def test_a_message_is_billed_for_its_texts(message: dict[str, Any], text: str) -> None:
    assert prompt_text(encoded({"messages": [{"role": "user", **message}]})) == text


def test_tools_and_a_schema_are_part_of_the_prompt() -> None:
    tool = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
    schema = {"type": "json_schema", "json_schema": {"name": "answer", "schema": {"type": "object"}}}
    text = prompt_text(asked("hi", tools=[tool], response_format=schema))
    assert "weather" in text and "answer" in text
    assert '"type":"function"' not in text


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"7", b'{"messages":7}', b"[" * 5_000])
def test_what_cannot_be_read_has_no_text(body: bytes) -> None:
    assert prompt_text(body) == answer_text([body]) == ""


@pytest.mark.parametrize(
    ("delta", "text"),
    [
        ({"content": "hi"}, "hi"),
        ({"refusal": "no"}, "no"),
        ({"reasoning_details": [{"type": "reasoning.text", "text": "why"}, {"data": "sealed"}]}, "why"),
        ({"reasoning": "why", "reasoning_details": [{"text": "why not"}]}, "why not"),
        ({"tool_calls": [{"type": "custom", "custom": {"name": "sql", "input": "SELECT 1"}}]}, "sqlSELECT 1"),
        ({"function_call": {"name": "f", "arguments": '{"a":1}'}}, 'f{"a":1}'),
    ],
)
def test_an_answer_is_billed_for_its_texts_whole_or_in_chunks(delta: dict[str, Any], text: str) -> None:
    whole = encoded({"choices": [{"message": delta}]})
    chunk = encoded({"choices": [{"delta": delta}]})
    assert answer_text([whole]) == text
    assert answer_text([chunk, chunk + NEXT_EVENT + chunk]) == text * 3


@pytest.mark.parametrize(
    ("part", "tokens"),
    [
        ({"type": "text", "text": "hi"}, 0),
        ({"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 900_000}}, 1_000),
        ({"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}, 1_000),
        ({"type": "input_audio", "input_audio": {"data": "A" * 900_000, "format": "mp3"}}, 900),
        ({"type": "file", "file": {"file_data": "data:application/pdf;base64," + "A" * 899_972}}, 18_000),
        ({"type": "file", "file": {"file_url": "https://example.com/a.pdf"}}, 20_000),
        ({"type": "video_url", "video_url": {"url": "https://example.com/a.mp4"}}, 1_000),
    ],
)
def test_images_and_files_are_estimated_by_their_kind_and_never_as_text(part: dict[str, Any], tokens: int) -> None:
    body = asked([{"type": "text", "text": "what is this?"}, part])
    assert read_body(body).attached_tokens == tokens
    assert prompt_text(body).startswith("what is this?")
    assert len(prompt_text(body)) < 20
