"""The official openai SDK, unchanged but for base_url and key, against two API processes and the sandbox provider."""

from collections.abc import Iterator
from typing import Any

import openai
import pytest
from openai import OpenAI

from tests.rigs.running import Gateway, gateway

SAY: Any = [{"role": "user", "content": "one two three"}]
TOOL: Any = {
    "type": "function",
    "function": {"name": "look_up", "parameters": {"type": "object", "properties": {"word": {"type": "string"}}}},
}


@pytest.fixture(scope="module")
def running() -> Iterator[Gateway]:
    with gateway("http://127.0.0.1:9/v1", workers=2, GATEWAYZ_SANDBOX="on") as started:
        yield started


@pytest.fixture(scope="module")
def client(running: Gateway) -> Iterator[OpenAI]:
    _, key = running.account_with_key("sdk-user", usd="5")
    with OpenAI(base_url=f"http://127.0.0.1:{running.port}/v1", api_key=key, max_retries=0) as opened:
        yield opened


def a_client(running: Gateway, key: str) -> OpenAI:
    return OpenAI(base_url=f"http://127.0.0.1:{running.port}/v1", api_key=key, max_retries=0)


def cost_of(usage: Any) -> float:
    """A member of ours, which the SDK's types do not know."""
    return float(usage.cost)


def test_chat(client: OpenAI) -> None:
    answer = client.chat.completions.create(model="sandbox/echo", messages=SAY)
    assert answer.choices[0].message.content == "one two three"
    assert answer.id.startswith("gen-")
    assert answer.model == "sandbox/echo"
    assert cost_of(answer.usage) == pytest.approx(3 * 0.15e-6 + 3 * 0.60e-6)


def test_a_stream_ends_with_usage_and_cost_though_it_was_not_asked_for(client: OpenAI) -> None:
    chunks = list(client.chat.completions.create(model="sandbox/echo", messages=SAY, stream=True))
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == "one two three"
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "stop"
    usage: Any = chunks[-1].usage
    assert usage.completion_tokens == 3
    assert cost_of(chunks[-1].usage) == pytest.approx(3 * 0.15e-6 + 3 * 0.60e-6)
    assert len({c.id for c in chunks}) == 1


def test_tools(client: OpenAI) -> None:
    answer = client.chat.completions.create(model="sandbox/echo", messages=SAY, tools=[TOOL], tool_choice="required")
    message: Any = answer.choices[0].message
    (call,) = message.tool_calls
    assert call.function.name == "look_up"
    assert answer.choices[0].finish_reason == "tool_calls"
    result: Any = {"role": "tool", "tool_call_id": call.id, "content": "found"}
    again = client.chat.completions.create(model="sandbox/echo", messages=[*SAY, message, result], tools=[TOOL])
    assert again.choices[0].finish_reason == "stop"


def test_models_are_listed_and_retrieved(client: OpenAI) -> None:
    listed = {model.id for model in client.models.list()}
    assert "sandbox/echo" in listed
    assert client.models.retrieve("sandbox/echo").id == "sandbox/echo"


@pytest.mark.parametrize(
    ("error", "code", "asked"),
    [
        (openai.NotFoundError, "model_not_found", {"model": "nobody/has-it", "messages": SAY}),
        (openai.BadRequestError, "model_not_priced", {"model": "sandbox/unpriced", "messages": SAY}),
        (openai.BadRequestError, "invalid_request", {"model": "sandbox/echo", "messages": []}),
        (openai.RateLimitError, "provider_rate_limited", {"model": "sandbox/rate-limited", "messages": SAY}),
        (openai.InternalServerError, "provider_error", {"model": "sandbox/error-500", "messages": SAY}),
        (openai.InternalServerError, "provider_error", {"model": "sandbox/unauthorized", "messages": SAY}),
    ],
)
def test_errors_are_the_sdks_own(client: OpenAI, error: type[openai.APIStatusError], code: str, asked: dict) -> None:
    with pytest.raises(error) as raised:
        client.chat.completions.create(**asked)
    assert raised.value.code == code


def test_an_unknown_key_is_an_authentication_error(running: Gateway) -> None:
    with a_client(running, "gw_live_nobody") as stranger, pytest.raises(openai.AuthenticationError) as raised:
        stranger.chat.completions.create(model="sandbox/echo", messages=SAY)
    assert raised.value.code == "invalid_api_key"


def test_no_credit_is_402_with_the_sentence_that_clients_parse(running: Gateway) -> None:
    _, key = running.account_with_key("poor", usd="0.000001")
    with a_client(running, key) as poor, pytest.raises(openai.APIStatusError) as raised:
        poor.chat.completions.create(model="sandbox/echo", messages=SAY, max_tokens=1_000)
    assert raised.value.status_code == 402
    body: Any = raised.value.body
    assert body["message"].startswith(
        "This request requires more credits, or fewer max_tokens. You requested up to 1000 tokens, but can only afford"
    )


def test_nothing_is_left_open_and_the_books_are_whole(running: Gateway) -> None:
    result = running.command("verify")
    assert result.returncode == 0, result.stdout + result.stderr
