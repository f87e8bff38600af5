"""Whatever is sent, the answer is documented, names the field, and leaves nothing reserved."""

import json
from typing import Any

import httpx
import msgspec
import pytest

from domain.credit.events import Reserved
from domain.window import KeyLimit
from tests.adapters.http.conftest import speaker
from tests.adapters.http.house import MODEL, UNPRICED, House, error_of
from tests.adapters.http.served import Served
from tests.fakes.scripted_providers import whole_answer

GOOD: dict[str, Any] = {"model": MODEL, "messages": [{"role": "user", "content": "x"}]}

PATH = "/v1/chat/completions"


def without(field: str) -> dict[str, Any]:
    return {name: value for name, value in GOOD.items() if name != field}


BAD_BODIES: list[tuple[str, bytes, str, str | None]] = [
    ("no JSON", b"{", "invalid_json", None),
    ("nothing", b"", "invalid_json", None),
    ("NaN", b'{"model":"acme/m","messages":[{"role":"user"}],"temperature":NaN}', "invalid_json", None),
    ("infinity", b'{"model":"acme/m","messages":[{"role":"user"}],"temperature":1e999}', "invalid_json", None),
    ("not UTF-8", b'{"model":"acme/m","messages":[{"role":"user","content":"\xff\xfe"}]}', "invalid_json", None),
    ("a lone surrogate", b'{"model":"\\ud800"}', "invalid_json", None),
    ("deep nesting", b"[" * 100_000, "invalid_json", None),
    ("a list", b"[]", "invalid_request", None),
    ("a text", b'"hello"', "invalid_request", None),
    ("no model", json.dumps(without("model")).encode(), "invalid_request", "model"),
    ("a number as model", json.dumps({**GOOD, "model": 7}).encode(), "invalid_request", "model"),
    ("no messages", json.dumps(without("messages")).encode(), "invalid_request", "messages"),
    ("empty messages", json.dumps({**GOOD, "messages": []}).encode(), "invalid_request", "messages"),
    ("a text as messages", json.dumps({**GOOD, "messages": "x"}).encode(), "invalid_request", "messages"),
    ("a message without role", json.dumps({**GOOD, "messages": [{}]}).encode(), "invalid_request", "messages[0]"),
    (
        "a number as content",
        json.dumps({**GOOD, "messages": [{"role": "user", "content": 1}]}).encode(),
        "invalid_request",
        "messages[0].content",
    ),
    ("negative max_tokens", json.dumps({**GOOD, "max_tokens": -1}).encode(), "invalid_request", "max_tokens"),
    ("absurd max_tokens", json.dumps({**GOOD, "max_tokens": 10**30}).encode(), "invalid_request", "max_tokens"),
    (
        "max_tokens past the context",
        json.dumps({**GOOD, "max_tokens": 9_000}).encode(),
        "invalid_request",
        "max_tokens",
    ),
    ("a text as max_tokens", json.dumps({**GOOD, "max_tokens": "5"}).encode(), "invalid_request", "max_tokens"),
    (
        "half a token",
        json.dumps({**GOOD, "max_completion_tokens": 1.5}).encode(),
        "invalid_request",
        "max_completion_tokens",
    ),
    ("a text as stream", json.dumps({**GOOD, "stream": "yes"}).encode(), "invalid_request", "stream"),
    ("no tokens", json.dumps({**GOOD, "max_tokens": 0}).encode(), "invalid_request", "max_tokens"),
    ("true as max_tokens", json.dumps({**GOOD, "max_tokens": True}).encode(), "invalid_request", "max_tokens"),
    ("no choices", json.dumps({**GOOD, "n": 0}).encode(), "invalid_request", "n"),
    ("129 choices", json.dumps({**GOOD, "n": 129}).encode(), "invalid_request", "n"),
    ("minus infinity", b'{"model":"acme/m","messages":[{"role":"user"}],"top_p":-Infinity}', "invalid_json", None),
    ("objects in objects", b'{"a":' * 200_000, "invalid_json", None),
    ("a thousand choices", json.dumps({**GOOD, "n": 1_000}).encode(), "invalid_request", "n"),
    ("an unpriced model", json.dumps({**GOOD, "model": UNPRICED}).encode(), "model_not_priced", None),
]


@pytest.mark.parametrize(("body", "code", "param"), [case[1:] for case in BAD_BODIES], ids=[c[0] for c in BAD_BODIES])
def test_a_bad_body_is_400(house: House, http: httpx.Client, body: bytes, code: str, param: str | None) -> None:
    answer = http.post(PATH, content=body, headers={"content-type": "application/json"})
    error = error_of(answer.content)
    assert (answer.status_code, error["code"], error["param"]) == (400, code, param)
    then_nothing_was_reserved(house)


def test_an_unknown_model_is_404(house: House, http: httpx.Client) -> None:
    answer = http.post(PATH, json={**GOOD, "model": "acme/none"})
    assert (answer.status_code, error_of(answer.content)["code"]) == (404, "model_not_found")
    then_nothing_was_reserved(house)


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", ""])
def test_another_content_type_is_415(house: House, http: httpx.Client, content_type: str) -> None:
    answer = http.post(PATH, content=json.dumps(GOOD), headers={"content-type": content_type})
    assert (answer.status_code, error_of(answer.content)["code"]) == (415, "unsupported_media_type")
    then_nothing_was_reserved(house)


def test_40_MB_are_413_whether_announced_or_not(house: House, http: httpx.Client) -> None:
    part = b"x" * 1_000_000
    announced = http.post(PATH, content=part * 40, headers={"content-type": "application/json"})
    chunked = http.post(PATH, content=iter([part] * 40), headers={"content-type": "application/json"})
    for answer in (announced, chunked):
        assert (answer.status_code, error_of(answer.content)["code"]) == (413, "body_too_large")
    then_nothing_was_reserved(house)


def test_an_unknown_key_is_401_before_the_body_is_looked_at(house: House, served: Served) -> None:
    with speaker(served, "gw_live_nobody") as http:
        answer = http.post(PATH, content=b"{", headers={"content-type": "application/json"})
    assert (answer.status_code, error_of(answer.content)["code"]) == (401, "invalid_api_key")
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("authorization", ["", "Bearer", "Basic Z3c6Z3c=", "gw_live_x"])
def test_no_key_is_401(stranger: httpx.Client, authorization: str) -> None:
    answer = stranger.post(PATH, json=GOOD, headers={"authorization": authorization})
    assert (answer.status_code, error_of(answer.content)["code"]) == (401, "invalid_api_key")


def test_each_mistake_with_a_key_has_a_sentence_of_its_own(
    stranger: httpx.Client, admin: httpx.Client, served: Served
) -> None:
    with speaker(served, "gw_live_nobody") as unknown:
        told = [error_of(client.get("/v1/key").content)["message"] for client in (stranger, unknown, admin)]
        told += [error_of(client.post(PATH, json=GOOD).content)["message"] for client in (stranger, unknown, admin)]
    for message, words in zip(told, ("No API key was sent", "unknown here", "opens /admin only") * 2, strict=True):
        assert words in message


def test_a_key_over_its_limit_is_403_and_says_until_when(house: House, served: Served) -> None:
    limited = house.new_key("limited", limit=KeyLimit(1, "daily"))
    with speaker(served, limited) as http:
        answer = http.post(PATH, json=GOOD)
    error = error_of(answer.content)
    assert (answer.status_code, error["code"]) == (403, "key_limit_exceeded")
    assert "daily" in error["message"]
    assert error["metadata"]["resets_at"] in error["message"]
    then_nothing_was_reserved(house)


@pytest.mark.parametrize("key", [b"", b"x" * 256, b"tab\there", b"caf\xe9"])
def test_an_idempotency_key_must_be_printable(house: House, http: httpx.Client, key: bytes) -> None:
    answer = http.post(PATH, json=GOOD, headers={b"idempotency-key": key})
    error = error_of(answer.content)
    assert (answer.status_code, error["param"]) == (400, "Idempotency-Key")
    then_nothing_was_reserved(house)


def test_a_full_append_queue_is_503_with_retry_after(house: House, http: httpx.Client) -> None:
    house.ledger.is_full = True
    answer = http.post(PATH, json=GOOD)
    assert (answer.status_code, error_of(answer.content)["code"]) == (503, "overloaded")
    assert answer.headers["retry-after"] == "1"
    assert house.telemetry.refusals["overloaded"] == 1


def test_unknown_paths_and_wrong_methods_are_told_in_the_envelope(http: httpx.Client) -> None:
    for method, path, status, code in (
        ("GET", "/v1/nothing", 404, "not_found"),
        ("POST", "/v1/chat/completions/", 404, "not_found"),
        ("GET", PATH, 405, "method_not_allowed"),
        ("DELETE", "/v1/models", 405, "method_not_allowed"),
        ("POST", "//v1/chat/completions", 404, "not_found"),
        ("POST", "/v1//chat/completions", 404, "not_found"),
        ("POST", "/chat/completions", 404, "not_found"),
    ):
        answer = http.request(method, path)
        assert (answer.status_code, error_of(answer.content)["code"]) == (status, code), path
        assert ("allow" in answer.headers) == (status == 405)


def test_a_query_is_ignored(house: House, http: httpx.Client) -> None:
    house.providers.answers[MODEL] = whole_answer()
    assert http.post(f"{PATH}?api-version=2024-10-21&beta=true", json=GOOD).status_code == 200


@pytest.mark.parametrize(
    "changed",
    [
        {"user": {"id": 1}},
        {"messages": [{"role": "moderator", "content": "x"}, {"role": "user", "content": None}]},
        {"messages": [{"role": "user", "content": [{"type": "hologram", "hologram": {"x": [1]}}]}]},
        {"stop": None, "tools": None, "n": None, "temperature": 1e308},
    ],
    ids=["an object as user", "an unknown role", "an unknown part", "nulls"],
)
def test_what_nobody_here_reads_reaches_the_provider(house: House, http: httpx.Client, changed: dict[str, Any]) -> None:
    house.providers.answers[MODEL] = whole_answer()
    answer = http.post(PATH, json={**GOOD, **changed})
    assert answer.status_code == 200, answer.text
    (call,) = house.providers.calls
    sent = {name: msgspec.json.decode(value) for name, value in call.members}
    assert changed.items() <= sent.items()


def then_nothing_was_reserved(house: House) -> None:
    assert not house.happened(Reserved)
    assert not house.credit.reservations
