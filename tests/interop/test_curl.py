"""libcurl: behind the command that everybody pastes, and behind the HTTP clients of PHP, R and many others."""

import io
import json
from typing import NamedTuple

import pycurl
import pytest

from tests.interop.raw_http import chat, events_of
from tests.rigs.installation.installation import Installation

CHAT = "/v1/chat/completions"
OPERATION_TIMEDOUT = 28


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


def curl(house: Installation, path: str, *headers: str, **options: object) -> pycurl.Curl:
    """A handle for one URL, as a customer of the demo account; `options` are libcurl's by name."""
    handle = pycurl.Curl()
    handle.setopt(pycurl.URL, house.credentials["base_url"] + path)
    handle.setopt(pycurl.HTTPHEADER, [f"Authorization: Bearer {house.credentials['demo_key']}", *headers])
    handle.setopt(pycurl.NOPROXY, "*")
    handle.setopt(pycurl.TIMEOUT, 60)
    for name, value in options.items():
        handle.setopt(getattr(pycurl, name), value)
    return handle


def performed(handle: pycurl.Curl) -> Answer:
    body, lines = io.BytesIO(), list[str]()
    handle.setopt(pycurl.WRITEDATA, body)
    handle.setopt(pycurl.HEADERFUNCTION, lambda line: lines.append(line.decode().strip()))
    handle.perform()
    headers = dict(line.lower().split(": ", 1) for line in lines if ": " in line)
    return Answer(handle.getinfo(pycurl.RESPONSE_CODE), headers, body.getvalue())


def post(house: Installation, body: bytes, *headers: str, **options: object) -> Answer:
    json_header = "Content-Type: application/json"
    return performed(curl(house, CHAT, json_header, *headers, POSTFIELDS=body, **options))


def test_an_answer(house: Installation) -> None:
    assert json.loads(post(house, chat("hi")).body)["choices"][0]["message"]["content"] == "hi"


def test_a_stream_comes_event_by_event(house: Installation) -> None:
    assert events_of(post(house, chat("hi you", stream=True)).body)[-1] == "[DONE]"


def test_headers_of_an_answer(house: Installation) -> None:
    answer = post(house, chat("hi"))
    body = json.loads(answer.body, parse_float=str)
    assert answer.headers["x-gatewayz-cost"] == body["usage"]["cost"]
    assert answer.headers["x-generation-id"] == body["id"]


def test_a_body_of_five_megabytes_with_100_continue(house: Installation) -> None:
    """Which curl asks for by itself above one megabyte."""
    assert json.loads(post(house, chat("x " * 2_500_000)).body)["object"] == "chat.completion"


def test_a_chunked_upload(house: Installation) -> None:
    headers = "Content-Type: application/json", "Transfer-Encoding: chunked"
    handle = curl(house, CHAT, *headers, POST=1, READDATA=io.BytesIO(chat("in chunks")))
    assert b"in chunks" in performed(handle).body


def test_HTTP_1_0_and_head(house: Installation) -> None:
    old = post(house, chat("old", stream=True), HTTP_VERSION=pycurl.CURL_HTTP_VERSION_1_0)
    assert events_of(old.body)[-1] == "[DONE]"
    assert performed(curl(house, "/health", NOBODY=1))[::2] == (200, b"")


def test_one_connection_for_many_requests(house: Installation) -> None:
    handle = curl(house, "/v1/credits")
    connects = [(performed(handle).status, handle.getinfo(pycurl.NUM_CONNECTS)) for _ in range(3)]
    assert connects == [(200, 1), (200, 0), (200, 0)]


def test_a_refusal_by_its_status(house: Installation) -> None:
    told = performed(curl(house, "/v1/nothing"))
    assert (told.status, json.loads(told.body)["error"]["code"]) == (404, "not_found")


def test_hanging_up_in_time(house: Installation) -> None:
    with pytest.raises(pycurl.error) as gave_up:
        post(house, chat(model="sandbox/slow"), TIMEOUT_MS=1_000)
    assert gave_up.value.args[0] == OPERATION_TIMEDOUT
