"""What leaves when: each choice's end waits for the settle, others' text does not; nothing produced costs nothing."""

import json

import httpx
import msgspec
import pytest

from application.ports.provider_answer import Chunk
from application.ports.provider_failure import Explanation
from domain.credit.events import Released, Settled
from tests.adapters.http.house import MODEL, House
from tests.adapters.http.served import Served
from tests.adapters.http.sse import RawStream, events_of
from tests.fakes.scripted_providers import Stop, failure, last_chunk, text_chunk, usage_chunk

PATH = "/v1/chat/completions"
ASKED = {"model": MODEL, "messages": [{"role": "user", "content": "x"}], "stream": True}
TWO = {**ASKED, "n": 2}


def of_choice(index: int, chunk: Chunk) -> Chunk:
    data = chunk.data.replace(b'"index":0', b'"index":%d' % index)
    return msgspec.structs.replace(chunk, data=data, choices=(index,))


def test_a_choice_goes_on_while_anothers_end_waits_for_the_settle(house: House, served: Served) -> None:
    stop = Stop()
    house.providers.streams[MODEL] = [
        text_chunk("short"),
        of_choice(1, text_chunk("long")),
        last_chunk("stop"),
        of_choice(1, text_chunk("goes on")),
        stop,
        of_choice(1, last_chunk("length")),
        usage_chunk(),
    ]
    stream = RawStream(served.port, house.key, TWO)
    received = stream.read_until(b"goes on")
    assert b'"finish_reason":"stop"' not in received
    assert not house.happened(Settled)
    stop.may_go_on = True
    whole = stream.read_to_end()
    assert whole.index(b"goes on") < whole.index(b'"finish_reason":"stop"') < whole.index(b'"finish_reason":"length"')
    assert len(house.happened(Settled)) == 1


def test_what_follows_the_end_of_its_choice_waits_with_it(house: House, http: httpx.Client) -> None:
    late = of_choice(0, text_chunk("afterthought"))
    house.providers.streams[MODEL] = [
        text_chunk("a"),
        last_chunk(),
        late,
        of_choice(1, text_chunk("b")),
        of_choice(1, last_chunk()),
    ]
    texts = events_of(http.post(PATH, json=TWO).text)
    told = [json.loads(event)["choices"] for event in texts if event != "[DONE]"]
    pieces = [(c["index"], c["delta"].get("content"), c["finish_reason"]) for choices in told for c in choices]
    assert pieces == [(0, "a", None), (1, "b", None), (0, None, "stop"), (0, "afterthought", None), (1, None, "stop")]


def test_a_stream_that_fails_before_every_choice_has_ended_is_broken_off(house: House, http: httpx.Client) -> None:
    house.providers.streams[MODEL] = [
        text_chunk("a"),
        last_chunk(),
        of_choice(1, text_chunk("b")),
        failure("server_error"),
    ]
    *_, last = events_of(http.post(PATH, json=TWO).text)
    assert json.loads(last)["error"]["code"] == "server_error"
    assert house.happened(Settled)[0].paid_nusd > 0


def test_p3_a_stream_of_nothing_is_released_as_a_whole_answer_of_nothing_is(house: House, http: httpx.Client) -> None:
    role = Chunk(data=text_chunk("").data)
    house.providers.streams[MODEL] = [role, failure("malformed_answer", 200)]
    *_, last = events_of(http.post(PATH, json=ASKED).text)
    told = json.loads(last)
    assert told["error"]["code"] == "malformed_answer"
    assert "usage" not in told
    assert len(house.happened(Released)) == 1
    assert not house.happened(Settled)
    assert not house.credit.reservations


def test_p1_hidden_reasoning_that_was_counted_is_charged(house: House, http: httpx.Client) -> None:
    counted = usage_chunk({"input": 10, "output": 0, "reasoning": 5})
    house.providers.streams[MODEL] = [Chunk(data=text_chunk("").data), counted, failure("connection_broken", 0)]
    http.post(PATH, json=ASKED)
    assert house.happened(Settled)


@pytest.mark.parametrize(
    ("explanation", "code", "words"),
    [
        (
            Explanation("prompt is too long: 9 tokens > 8 maximum", is_about_length=True),
            "context_length_exceeded",
            "too long",
        ),
        (Explanation("no such tool", "tools[0]"), "provider_refused_request", "no such tool"),
        (None, "error_in_answer", "the provider broke off"),
    ],
)
def test_a_reason_in_the_middle_is_told_as_it_is_before_the_first_chunk(
    house: House, http: httpx.Client, explanation: Explanation | None, code: str, words: str
) -> None:
    error_class = "request_refused" if explanation else "error_in_answer"
    house.providers.streams[MODEL] = [text_chunk("So far"), failure(error_class, 400, explanation=explanation)]
    *_, last = events_of(http.post(PATH, json=ASKED).text)
    error = json.loads(last)["error"]
    assert error["code"] == code
    assert words in error["message"]


def test_a_providers_own_words_on_its_failure_are_quoted(house: House, http: httpx.Client) -> None:
    broken = failure("server_error", 500, words="The engine is overloaded, try later")
    house.providers.streams[MODEL] = [text_chunk("So far"), broken]
    *_, last = events_of(http.post(PATH, json=ASKED).text)
    error = json.loads(last)["error"]
    assert (error["code"], error["message"]) == (
        "server_error",
        "the provider broke off: The engine is overloaded, try later",
    )


def test_a_provider_that_goes_on_after_its_end_is_cut_off(house: House, http: httpx.Client) -> None:
    flood = [text_chunk("x" * 1_000_000)] * 20
    house.providers.streams[MODEL] = [text_chunk("Hello"), last_chunk(), *flood]
    body = http.post(PATH, json=ASKED).content
    assert body.endswith(b"[DONE]\n\n")
    assert len(body) < 12_000_000
    assert len(house.happened(Settled)) == 1
