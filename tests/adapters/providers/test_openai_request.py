"""What is sent upstream: the client's body with the model and the token limit exchanged, nothing else touched."""

from typing import Any

import msgspec
import pytest

from adapters.outbound.providers.dialects.openai import dropped, write_request
from adapters.outbound.providers.endpoint import Endpoint
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


def test_both_fields_are_rewritten_if_the_client_used_both() -> None:
    body = sent({"max_tokens": 5_000, "max_completion_tokens": 10_000})
    assert (body["max_tokens"], body["max_completion_tokens"]) == (77, 77)


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
    assert dropped(HELLO, endpoint) == ()
    assert asked.keys() - sent(asked, endpoint).keys() == {"plugins", "service_tier", "usage"}


def test_the_clients_body_is_not_changed() -> None:
    body = {**HELLO, "stream_options": {"include_usage": False}}
    write_request(a_call(body), an_endpoint(), streaming=True)
    assert body == {**HELLO, "stream_options": {"include_usage": False}}
