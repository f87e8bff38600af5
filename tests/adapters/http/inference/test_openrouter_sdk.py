"""OpenRouter's official SDK, unchanged but for server URL and key. It refuses answers that lack a member it knows."""

from collections.abc import Iterator
from typing import Any

import openrouter
import pytest
from openrouter import OpenRouter, errors

from application.ports.provider_failure import Explanation
from domain.errors import DomainError
from domain.window import KeyLimit
from tests.adapters.http.eventually import eventually
from tests.adapters.http.house import MODEL, UNPRICED, House
from tests.adapters.http.served import Served
from tests.fakes.scripted_providers import failure, streamed_answer, text_chunk, whole_answer

QUESTION: Any = [{"role": "user", "content": "Say hello"}]
COST = 0.00002
"""10 tokens in, 5 out."""

pytestmark = pytest.mark.filterwarnings("ignore:.*DEPRECATED:DeprecationWarning")
"""The SDK warns of members that it requires."""

NO_RETRIES = openrouter.utils.RetryConfig("none", None, False)  # type: ignore[arg-type]


def sdk(served: Served, key: str) -> OpenRouter:
    return OpenRouter(api_key=key, server_url=f"{served.url}/api/v1", retry_config=NO_RETRIES, timeout_ms=10_000)


@pytest.fixture
def client(house: House, served: Served) -> Iterator[OpenRouter]:
    with sdk(served, house.key) as client:
        yield client


@pytest.fixture
def management(house: House, served: Served) -> Iterator[OpenRouter]:
    with sdk(served, house.new_key("manager", kind="management")) as client:
        yield client


def test_a_whole_answer_names_its_provider_and_cost(house: House, client: OpenRouter) -> None:
    house.providers.answers[MODEL] = whole_answer("Hello!")
    answer: Any = client.chat.send(model=MODEL, messages=QUESTION)
    assert answer.choices[0].message.content == "Hello!"
    assert answer.usage.cost == COST


def test_a_stream_ends_with_its_cost(house: House, client: OpenRouter) -> None:
    house.providers.streams[MODEL] = streamed_answer("Hel", "lo")
    chunks: list[Any] = list(client.chat.send(model=MODEL, messages=QUESTION, stream=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == "Hello"
    assert chunks[-1].usage.cost == COST


def test_a_stream_that_breaks_off_ends_with_a_chunk_that_says_so(house: House, client: OpenRouter) -> None:
    house.providers.streams[MODEL] = [text_chunk("Hello"), failure("connection_broken", 0)]
    chunks: list[Any] = list(client.chat.send(model=MODEL, messages=QUESTION, stream=True))
    last = chunks[-1]
    assert (last.error.code, last.error.metadata.error_type) == (502, "provider_unavailable")
    assert last.choices[0].finish_reason == "error"
    assert (last.id, last.model) == (chunks[0].id, MODEL)
    assert last.usage.cost > 0


def test_tools_go_and_come(house: House, client: OpenRouter) -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "add", "arguments": '{"a":1}'}}
    house.providers.answers[MODEL] = whole_answer("", finish_reason="tool_calls", tool_calls=[call])
    tools: Any = [{"type": "function", "function": {"name": "add", "parameters": {"type": "object"}}}]
    answer: Any = client.chat.send(model=MODEL, messages=QUESTION, tools=tools)
    assert answer.choices[0].message.tool_calls[0].function.arguments == '{"a":1}'


@pytest.mark.parametrize(
    ("told", "kind", "status"),
    [
        (
            failure("request_refused", 400, explanation=Explanation("too long")),
            errors.BadRequestResponseError,
            400,
        ),
        (failure("rate_limited", 429, fails_over=False), errors.TooManyRequestsResponseError, 429),
        (failure("server_error", 500), errors.BadGatewayResponseError, 502),
    ],
)
def test_a_providers_refusal_is_an_error_of_the_sdk(
    house: House, client: OpenRouter, told: Exception, kind: Any, status: int
) -> None:
    house.providers.answers[MODEL] = told
    with pytest.raises(kind) as refused:
        client.chat.send(model=MODEL, messages=QUESTION)
    error: Any = refused.value.data.error
    assert error.code == status
    assert error.metadata["error_type"]
    assert error.metadata["generation_id"].startswith("gen-")


def test_what_the_edge_refuses_is_an_error_of_the_sdk(house: House, client: OpenRouter, served: Served) -> None:
    with pytest.raises(errors.NotFoundResponseError) as unknown:
        client.chat.send(model="acme/none", messages=QUESTION)
    assert "acme/none" in str(unknown.value)
    with pytest.raises(errors.BadRequestResponseError, match="has no price"):
        client.chat.send(model=UNPRICED, messages=QUESTION)
    with sdk(served, "gw_live_nobody") as stranger, pytest.raises(errors.UnauthorizedResponseError) as refused:
        stranger.chat.send(model=MODEL, messages=QUESTION)
    assert refused.value.data.error.metadata == {
        "error_type": "authentication",
        "code": "invalid_api_key",
        "param": None,
    }


def test_too_little_credit_and_a_limit_are_errors_of_the_sdk(house: House, client: OpenRouter, served: Served) -> None:
    with (
        sdk(served, house.new_key("limited", limit=KeyLimit(1, "daily"))) as limited,
        pytest.raises(errors.ForbiddenResponseError, match="daily spending limit"),
    ):
        limited.chat.send(model=MODEL, messages=QUESTION)
    house.hold_all_but("0.000000001")
    with pytest.raises(errors.PaymentRequiredResponseError, match="can only afford 0"):
        client.chat.send(model=MODEL, messages=QUESTION)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("ledger_unavailable", errors.ServiceUnavailableResponseError),
        ("deadline_exceeded", errors.OpenRouterDefaultError),
        ("internal_error", errors.InternalServerResponseError),
        ("body_too_large", errors.PayloadTooLargeResponseError),
        ("body_timeout", errors.RequestTimeoutResponseError),
        ("request_in_progress", errors.ConflictResponseError),
    ],
)
def test_every_other_status_is_an_error_of_the_sdk(house: House, client: OpenRouter, code: str, kind: Any) -> None:
    """Never ResponseValidationError, which hides the message."""
    house.providers.answers[MODEL] = DomainError(code, limit_bytes=1, limit_s=1, request_id="req-1")
    with pytest.raises(errors.OpenRouterError) as refused:
        client.chat.send(model=MODEL, messages=QUESTION)
    assert not isinstance(refused.value, errors.ResponseValidationError)
    assert isinstance(refused.value, kind | errors.OpenRouterDefaultError)
    assert code in refused.value.body


def test_credits_key_models_and_a_generation(house: House, client: OpenRouter) -> None:
    house.providers.answers[MODEL] = whole_answer("Hello!")
    answer: Any = client.chat.send(model=MODEL, messages=QUESTION)
    assert client.credits.get_credits().data.total_usage == COST
    assert client.api_keys.get_current_key_metadata().data.usage == COST
    listed: Any = client.models.list()
    models = listed.result if hasattr(listed, "result") else listed
    assert (models.total_count, {model.id for model in models.data} >= {MODEL}) == (len(models.data), True)
    generation: Any = client.generations.get_generation(id=answer.id).data
    assert (generation.id, generation.total_cost) == (answer.id, COST)
    assert [called.status for called in generation.provider_responses] == [200]


def test_a_key_is_made_shown_changed_and_deleted_and_its_secret_is_not_lost(
    house: House, management: OpenRouter, served: Served
) -> None:
    house.providers.answers[MODEL] = whole_answer()
    made: Any = management.api_keys.create(name="a", limit=5)
    with sdk(served, made.key) as owner:
        owner.chat.send(model=MODEL, messages=QUESTION)
    hash_ = made.data.hash
    listed: Any = management.api_keys.list()
    keys = listed.result if hasattr(listed, "result") else listed
    assert hash_ in {key.hash for key in keys.data}
    assert management.api_keys.update(hash=hash_, name="b").data.name == "b"
    got: Any = management.api_keys.get(hash=hash_).data
    assert (got.name, got.limit, got.usage) == ("b", 5, COST)
    management.api_keys.delete(hash=hash_)
    with pytest.raises(errors.NotFoundResponseError):
        management.api_keys.get(hash=hash_)


def test_a_refused_stream_says_so_before_it_begins(house: House, client: OpenRouter) -> None:
    house.providers.streams[MODEL] = [failure("server_error", 500)]
    with pytest.raises(errors.BadGatewayResponseError):
        list(client.chat.send(model=MODEL, messages=QUESTION, stream=True))
    eventually(lambda: not house.credit.reservations)
