"""Whole answers: our id and model in place, usage taken out, the rest byte for byte as it was sent."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.outbound.providers.dialects.openai import read_answer, read_error
from adapters.outbound.providers.failures import BrokenAnswer, ErrorClass, ProviderError
from application.ports.provider_answer import Answer
from tests.adapters.providers.call_words import GENERATION_ID, MODEL, a_call, an_endpoint

TRICKY = st.text(alphabet='"\\{}[]:,idmodelusge \n\té😀\u2028', max_size=40)


def read(body: bytes) -> Answer:
    return read_answer(body, a_call(), an_endpoint())


def an_answer(content: str = "hi", **members: Any) -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop"}
    return msgspec.json.encode({"id": "chatcmpl-1", "model": "native", "choices": [choice], **members})


def test_id_and_model_are_ours_and_the_providers_id_is_kept_aside() -> None:
    answer = read(an_answer())
    body = msgspec.json.decode(answer.body)
    assert (body["id"], body["model"]) == (GENERATION_ID, MODEL)
    assert answer.provider_generation_id == "chatcmpl-1"


def test_usage_is_taken_out_so_that_the_gateway_can_write_its_own_before_the_last_brace() -> None:
    answer = read(an_answer(usage={"prompt_tokens": 2, "completion_tokens": 1}))
    spliced = answer.body[:-1] + b',"usage":{"cost":0.1}}'
    assert msgspec.json.decode(spliced)["usage"] == {"cost": 0.1}
    assert b"prompt_tokens" not in answer.body
    assert answer.raw_usage == b'{"prompt_tokens":2,"completion_tokens":1}'


def test_an_answer_without_usage_has_none() -> None:
    assert read(an_answer()).usage is None
    assert read(an_answer(usage=None)).raw_usage is None


@given(TRICKY)
def test_content_is_never_rewritten(content: str) -> None:
    imitation = f'{content}"id":"chatcmpl-1","model":"native","usage":{{}}'
    answer = read(an_answer(imitation, usage={"prompt_tokens": 1, "completion_tokens": 1}))
    assert msgspec.json.decode(answer.body)["choices"][0]["message"]["content"] == imitation
    assert answer.output_bytes == len(imitation.encode())


def test_nested_values_keep_their_very_bytes() -> None:
    message = b'{"content":"\\u00e9\\/","id":"chatcmpl-1","model":"native"}'
    choices = b'[ {"index":0, "message":' + message + b', "x":1.10e2,"finish_reason":"stop"} ]'
    answer = read(b'{"model":"native","id":"chatcmpl-1","usage":null,"choices":' + choices + b"}")
    assert choices in answer.body


def test_reasoning_sent_under_two_names_is_measured_once() -> None:
    message = {"content": "ab", "reasoning": "cde", "reasoning_content": "cde", "refusal": None}
    choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
    assert read(an_answer(choices=choices)).output_bytes == 5


@pytest.mark.parametrize("others", [{}, {"reasoning": "cdefg"}, {"reasoning": "cdefg", "reasoning_content": "cdefg"}])
def test_reasoning_details_are_the_same_text_under_a_third_name(others: dict[str, str]) -> None:
    details = [
        {"type": "reasoning.summary", "summary": "cd"},
        {"type": "reasoning.text", "text": "efg", "summary": None},
        {"type": "reasoning.encrypted", "data": "bm90IHRleHQ="},
        "no object",
    ]
    message = {"content": "ab", **others, "reasoning_details": details}
    choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
    assert read(an_answer(choices=choices)).output_bytes == 7


@pytest.mark.parametrize("details", [None, "text", 7, {"text": "text"}, [], [None], [{"text": 7}]])
def test_reasoning_details_of_another_shape_are_no_text(details: object) -> None:
    choices = [{"index": 0, "message": {"content": "ab", "reasoning_details": details}, "finish_reason": "stop"}]
    assert read(an_answer(choices=choices)).output_bytes == 2


def test_a_refused_constant_outside_usage_becomes_null_and_inside_stays_visible() -> None:
    body = an_answer(usage={"prompt_tokens": 1, "completion_tokens": 2}, logprob=7)
    answer = read(body.replace(b'"logprob":7', b'"logprob":-Infinity').replace(b":2}", b":NaN}"))
    assert msgspec.json.decode(answer.body)["logprob"] is None
    assert answer.usage == {"input": 1, "output": -1}


def test_half_a_surrogate_pair_is_passed_on() -> None:
    body = an_answer("x").replace(b'"x"', b'"\\ud83d"')
    assert b'"\\ud83d"' in read(body).body


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"<html>",
        b'{"id":"x"}',
        b'{"choices":[]}',
        b'{"choices":{}}',
        b'{"choices":[1]}',
        b'{"choices":[{"message":{"content":"\xff"}}]}',
        b"[" * 200_000,
        b'{"a":' * 200_000,
    ],
)
def test_what_is_not_an_answer_is_refused(body: bytes) -> None:
    with pytest.raises(BrokenAnswer) as broken:
        read(body)
    assert broken.value.error_class is ErrorClass.MALFORMED_ANSWER


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (502, 502),
        ("502", 502),
        ("server_error", 500),
        ("invalid_request_error", 400),
        ("x", 0),
        (None, 0),
        (7, 0),
        (True, 0),
    ],
)
def test_an_error_under_status_200_is_an_error(code: Any, status: int) -> None:
    with pytest.raises(BrokenAnswer) as broken:
        read(msgspec.json.encode({"id": "x", "error": {"message": "no", "code": code}, "choices": []}))
    assert broken.value.error_class is ErrorClass.ERROR_IN_ANSWER
    assert broken.value.error.status == status


def test_names_that_go_into_the_ledger_are_short_and_printable() -> None:
    choice = {"index": 0, "message": {"content": ""}, "finish_reason": "st\u0000p\n" + "x" * 999}
    answer = read(an_answer(id="é\u0000" + "y" * 999, choices=[choice]))
    assert answer.provider_generation_id == "??" + "y" * 198
    assert answer.finish_reason == "st?p?" + "x" * 59


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"<html>",
        b"<!doctype html><title>Bad gateway</title>",
        b'{"error":[]}',
        b'{"error":{}}',
        b'{"error":null}',
        b'{"detail":[]}',
        b"7",
        b"null",
        b"[" * 99_999,
        b'{"error":' * 50 + b'"x"' + b"}" * 50,
        b"\x00\x01\x02",
    ],
)
def test_an_error_body_that_says_nothing_is_empty(body: bytes) -> None:
    assert read_error(body) == ProviderError()


FASTAPI = (
    b'{"detail":[{"type":"string_type","loc":["body","messages",0,"content"],"msg":"should be a string","input":{}}]}'
)
RELAYED = msgspec.json.encode(
    {
        "error": {
            "message": "Provider returned error",
            "code": 400,
            "metadata": {"raw": '{"error":{"message":"bad tool","param":"tools[0]","code":"bad_tool"}}'},
        }
    }
)


def fastapi(*paths: tuple[str | int, ...]) -> bytes:
    """A 422 with an entry for each of `paths`."""
    entries = [{"type": "bad", "loc": ["body", *path], "msg": f"wrong {path[0]}"} for path in paths]
    return msgspec.json.encode({"detail": entries})


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b'{"error":"plain"}', ProviderError("plain")),
        (b'{"detail":"fast"}', ProviderError("fast")),
        (b'{"message":"bare"}', ProviderError("bare")),
        (b'\xef\xbb\xbf{"message":"marked"}', ProviderError("marked")),
        (b"model is overloaded", ProviderError("model is overloaded")),
        (FASTAPI, ProviderError("should be a string", "messages[0].content", 0, "string_type")),
        (
            b'{"object":"error","message":"flat","type":"invalid_request_error","param":"n","code":"400"}',
            ProviderError("flat", "n", 400, "400"),
        ),
        (
            b'{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}',
            ProviderError("Overloaded", None, 503, "overloaded_error"),
        ),
        (
            b'[{"error":{"code":429,"message":"Quota","status":"RESOURCE_EXHAUSTED"}}]',
            ProviderError("Quota", None, 429, "429"),
        ),
        (b'{"errors":[{"message":"first"},{"message":"second"}]}', ProviderError("first; second")),
        (
            fastapi(("messages", 0, "content"), ("temperature",)),
            ProviderError(
                "messages[0].content: wrong messages; temperature: wrong temperature", "messages[0].content", 0, "bad"
            ),
        ),
        (
            fastapi(*((f"p{n}",) for n in range(11))),
            ProviderError("; ".join([*(f"p{n}: wrong p{n}" for n in range(8)), "and 3 more"]), "p0", 0, "bad"),
        ),
        (
            b'{"detail":[{"loc":["body"]},7,[["x"]],{"loc":["body","n"],"msg":"no number"}]}',
            ProviderError("no number", "n"),
        ),
        (b'{"error":{"message":"no","code":"429"}}', ProviderError("no", None, 429, "429")),
        (RELAYED, ProviderError("bad tool", "tools[0]", 400, "bad_tool")),
    ],
)
def test_errors_of_every_shape_are_understood(body: bytes, error: ProviderError) -> None:
    assert read_error(body) == error


@pytest.mark.parametrize(
    "message",
    [
        "This model's maximum context length is 8192 tokens. However, you requested 9000 tokens.",
        "prompt is too long: 1300000 tokens > 1000000 maximum",
        "input is too long for requested model",
        "Please reduce the length of the messages: they exceed the model's context window",
        "The input token count (1050000) exceeds the maximum number of tokens allowed (1048576).",
        "Input length 9000 exceeds the maximum allowed token length 8192",
        "Requested 9000 input tokens, too many tokens for this model",
    ],
)
def test_a_prompt_that_is_too_long_is_known_by_any_providers_words(message: str) -> None:
    assert ProviderError(message).is_about_length


@pytest.mark.parametrize(
    "message",
    ["temperature is odd", "max_tokens is too large: 9000", "Rate limit reached: Limit 6000, Requested 9021", ""],
)
def test_no_other_refusal_is_taken_for_it(message: str) -> None:
    assert not ProviderError(message).is_about_length
    assert ProviderError("x", code="context_length_exceeded").is_about_length
