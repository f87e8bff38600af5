"""What is sent upstream: the client's body with the model and the token limit exchanged, nothing else touched."""

from typing import Any

import msgspec
import pytest

from adapters.outbound.providers.dialects.openai import dropped, write_request
from adapters.outbound.providers.endpoint import Endpoint
from adapters.outbound.providers.offers.rows import PRICED_OR_REMOTE
from application.generate.request.members import members_of
from tests.adapters.providers.call_words import HELLO, a_call, an_endpoint


def sent(body: dict[str, Any], endpoint: Endpoint | None = None, *, streaming: bool = False) -> dict[str, Any]:
    written = write_request(a_call({**HELLO, **body}, max_tokens=77), endpoint or an_endpoint(), streaming=streaming)
    return msgspec.json.decode(written, type=dict[str, Any])


def test_the_native_id_stands_for_the_model() -> None:
    assert sent({})["model"] == "native-model"


@pytest.mark.parametrize("field", ["max_tokens", "max_completion_tokens"])
def test_the_token_limit_goes_into_the_field_the_client_used(field: str) -> None:
    body = sent({field: 10_000})
    assert body[field] == 77
    assert len({"max_tokens", "max_completion_tokens"} & body.keys()) == 1


LIMITS = ("max_tokens", "max_completion_tokens")


@pytest.mark.parametrize(
    ("asked", "quirk", "field"),
    [
        ({"max_tokens": 5_000, "max_completion_tokens": 10_000}, False, "max_tokens"),
        ({"max_tokens": 5_000, "max_completion_tokens": 10_000}, True, "max_completion_tokens"),
        ({"max_tokens": None, "max_completion_tokens": 50}, False, "max_completion_tokens"),
        ({"max_completion_tokens": None, "max_tokens": 50}, True, "max_tokens"),
        ({"max_tokens": None, "max_completion_tokens": None}, False, "max_tokens"),
    ],
)
def test_one_limit_reaches_the_provider_and_null_is_none(asked: dict[str, Any], quirk: bool, field: str) -> None:
    body = sent(asked, an_endpoint("max_completion_tokens") if quirk else an_endpoint())
    assert {name: body[name] for name in LIMITS if name in body} == {field: 77}


def test_a_missing_limit_is_injected() -> None:
    assert sent({})["max_tokens"] == 77
    assert sent({"max_tokens": None})["max_tokens"] == 77
    body = sent({}, an_endpoint("max_completion_tokens"))
    assert body["max_completion_tokens"] == 77
    assert "max_tokens" not in body


def test_a_stream_always_asks_for_usage() -> None:
    assert sent({}, streaming=True)["stream_options"] == {"include_usage": True}
    options = {"include_usage": False, "include_obfuscation": False}
    body = sent({"stream_options": options}, streaming=True)
    assert body["stream"] is True
    assert body["stream_options"] == {"include_usage": True, "include_obfuscation": False}


def test_a_whole_answer_is_asked_for_as_one() -> None:
    body = sent({"stream": True, "stream_options": {"include_usage": True}})
    assert body["stream"] is False
    assert "stream_options" not in body


def test_other_parameters_are_passed_on_untouched() -> None:
    extra = {
        "temperature": 0.7,
        "n": 2,
        "seed": 2**63,
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}],
        "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {}}},
        "logprobs": True,
        "reasoning_effort": "high",
        "reasoning": {"max_tokens": 5},
        "something_new": [1, {"a": None}],
    }
    assert {name: sent(extra)[name] for name in extra} == extra


def test_extras_go_only_to_providers_that_know_them() -> None:
    extra = {"provider": {"only": ["x"]}, "models": ["a/b"], "route": "fallback", "plugins": [{"id": "web"}]}
    assert not extra.keys() & sent(extra).keys()
    assert sent(extra, an_endpoint(extras=("provider",)))["provider"] == {"only": ["x"]}


def test_what_would_change_the_bill_unseen_is_dropped() -> None:
    assert "service_tier" not in sent({"service_tier": "priority"}, an_endpoint(drops=("service_tier",)))


def test_what_is_left_out_is_told_and_nothing_else() -> None:
    endpoint = an_endpoint(drops=("service_tier", "never_sent"), extras=("provider",))
    asked = {**HELLO, "usage": {"include": True}, "service_tier": "flex", "plugins": [], "provider": {}, "seed": 1}
    assert dropped(asked, endpoint) == ("plugins", "service_tier")
    assert dropped({"max_tokens": None, "stream_options": {}}, endpoint) == ()
    assert dropped(HELLO, endpoint) == ()
    assert asked.keys() - sent(asked, endpoint).keys() == {"plugins", "service_tier", "usage"}


def test_the_clients_body_is_not_changed() -> None:
    body = {**HELLO, "stream_options": {"include_usage": False}}
    call = a_call(body)
    before = [(name, bytes(value)) for name, value in call.members]
    write_request(call, an_endpoint(), streaming=True)
    assert [(name, bytes(value)) for name, value in call.members] == before


@pytest.mark.parametrize("name", PRICED_OR_REMOTE)
def test_what_can_cost_or_reach_beyond_the_call_is_dropped_unless_a_row_prices_it(name: str) -> None:
    asked = {**HELLO, name: {"x": 1}}
    assert dropped(asked, an_endpoint()) == (name,)
    assert name not in sent(asked)
    priced = msgspec.structs.replace(an_endpoint(extras=(name,)), priced_or_remote=frozenset())
    assert dropped(asked, priced) == ()
    assert sent(asked, priced)[name] == {"x": 1}


def test_a_strict_row_passes_what_is_known_and_its_extras() -> None:
    strict = msgspec.structs.replace(an_endpoint(extras=("top_a",)), strict=True)
    asked = {**HELLO, "temperature": 1, "top_a": 2, "something_new": 3, "no header\r\nx: y": 4}
    assert dropped(asked, strict) == ("?", "something_new")
    assert sent(asked, strict).keys() - HELLO.keys() == {"temperature", "top_a", "max_tokens", "stream"}


def test_names_told_in_a_header_are_bounded() -> None:
    strict = msgspec.structs.replace(an_endpoint(), strict=True)
    assert len(dropped([f"new_{i}" for i in range(900)], strict)) == 50


def test_members_keep_their_order_their_digits_and_their_very_bytes() -> None:
    body = (
        b'{"z": 1.50 , "model":"acme/model","big":123456789012345678901234567890,"messages":[ {"role":"user",\n'
        b'"content":"\\u00e9 \\/"}],"unknown":{"b": 1,"a":2, "b":3},"seed":1,"seed":2,"stream" : true,"e":1E2}'
    )
    call = msgspec.structs.replace(a_call(max_tokens=77), members=members_of(body))
    assert write_request(call, an_endpoint(), streaming=True) == (
        b'{"z":1.50,"model":"native-model","big":123456789012345678901234567890,"messages":[ {"role":"user",\n'
        b'"content":"\\u00e9 \\/"}],"unknown":{"b": 1,"a":2, "b":3},"seed":1,"seed":2,"stream":true,"e":1E2,'
        b'"max_tokens":77,"stream_options":{"include_usage":true}}'
    )
