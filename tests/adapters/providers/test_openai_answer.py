"""Whole answers: our id and model in place, usage taken out, the rest byte for byte as it was sent."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.outbound.providers.dialects.openai import read_answer, read_error
from adapters.outbound.providers.failures import BrokenAnswer, ErrorClass
from application.ports import Answer
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


@pytest.mark.parametrize(("code", "status"), [(502, 502), ("server_error", 0), (None, 0), (7, 0), (True, 0)])
def test_an_error_under_status_200_is_an_error(code: Any, status: int) -> None:
    with pytest.raises(BrokenAnswer) as broken:
        read(msgspec.json.encode({"id": "x", "error": {"message": "no", "code": code}, "choices": []}))
    assert broken.value.error_class is ErrorClass.ERROR_IN_ANSWER
    assert broken.value.told.status == status


def test_names_that_go_into_the_ledger_are_short_and_printable() -> None:
    choice = {"index": 0, "message": {"content": ""}, "finish_reason": "st\u0000p\n" + "x" * 999}
    answer = read(an_answer(id="é\u0000" + "y" * 999, choices=[choice]))
    assert answer.provider_generation_id == "??" + "y" * 198
    assert answer.finish_reason == "st?p?" + "x" * 59


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"<html>", b'{"error":[]}', b'{"detail":[{"msg":"x"}]}', b"\xff", b"[" * 99_999]
)
def test_an_error_body_that_says_nothing_is_empty(body: bytes) -> None:
    assert read_error(body) == ("", None, 0)


@pytest.mark.parametrize(
    ("body", "message"),
    [(b'{"error":"plain"}', "plain"), (b'{"detail":"fast"}', "fast"), (b'{"message":"bare"}', "bare")],
)
def test_errors_of_other_shapes_are_understood(body: bytes, message: str) -> None:
    assert read_error(body).message == message
