"""The official SDK, unchanged but for base URL and key."""

from typing import Any

import httpx
import msgspec
import openai
import pytest

from application.generate.reserve_credit import Deadlines
from application.ports.provider_failure import Explanation
from domain.credit.commands import Settle
from domain.credit.events import Reserved, Settled
from domain.money import format_usd
from tests.adapters.http.eventually import eventually
from tests.adapters.http.house import FLAT, MODEL, UNPRICED, House, done
from tests.adapters.http.served import Served
from tests.fakes.memory_personal_data import sealed_for
from tests.fakes.scripted_providers import failure, streamed_answer, whole_answer

QUESTION: Any = [{"role": "user", "content": "Say hello"}]
COST = "0.00002"
"""10 tokens in, 5 out."""


def test_a_whole_answer_names_model_and_generation_and_says_what_it_cost(house: House, client: Any) -> None:
    house.providers.answers[MODEL] = whole_answer("Hello!")
    answer = client.chat.completions.create(model=MODEL, messages=QUESTION)
    assert answer.choices[0].message.content == "Hello!"
    assert answer.model == MODEL
    assert answer.id.startswith("gen-")
    assert answer.usage.prompt_tokens == 10
    assert answer.usage.model_extra["cost"] == float(COST)


def test_P6_header_body_and_ledger_say_the_same_cost(house: House, client: Any) -> None:
    house.providers.answers[MODEL] = whole_answer()
    raw = client.chat.completions.with_raw_response.create(model=MODEL, messages=QUESTION)
    (settled,) = house.happened(Settled)
    assert raw.headers["x-gatewayz-cost"] == format_usd(settled.paid_nusd) == COST
    assert f'"cost":{COST},' in raw.text
    assert raw.headers["x-generation-id"] == f"gen-{settled.reservation_id}" == raw.parse().id
    assert raw.headers["x-gatewayz-position"] == f"0-{len(house.ledger.log)}"
    assert raw.headers["content-type"] == "application/json"


def test_a_stream_ends_with_usage_and_cost(house: House, client: Any) -> None:
    house.providers.streams[MODEL] = streamed_answer("Hel", "lo", "!")
    chunks = list(client.chat.completions.create(model=MODEL, messages=QUESTION, stream=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == "Hello!"
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].choices == []
    assert chunks[-1].usage.model_extra["cost"] == float(COST)
    assert {chunk.id for chunk in chunks} == {f"gen-{house.happened(Settled)[0].reservation_id}"}


def test_tools_reach_the_provider_untouched_and_their_calls_come_back(house: House, client: Any) -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "add", "arguments": '{"a":1}'}}
    house.providers.answers[MODEL] = whole_answer("", finish_reason="tool_calls", tool_calls=[call])
    tools = [{"type": "function", "function": {"name": "add", "parameters": {"type": "object"}}}]
    answer = client.chat.completions.create(
        model=MODEL, messages=QUESTION, tools=tools, tool_choice="required", extra_body={"top_k": 7}
    )
    assert answer.choices[0].message.tool_calls[0].function.arguments == '{"a":1}'
    sent = {name: msgspec.json.decode(value) for name, value in house.providers.calls[0].members}
    assert (sent["tools"], sent["tool_choice"], sent["top_k"]) == (tools, "required", 7)


def test_models_are_listed_and_found(client: Any) -> None:
    assert [model.id for model in client.models.list()] == [FLAT, MODEL]
    found = client.models.retrieve(MODEL)
    assert found.owned_by == "acme"
    assert found.model_extra["pricing"]["prompt"] == "0.000001"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("acme/none")


def test_the_alias_of_openrouter_answers_too(house: House, served: Served) -> None:
    house.providers.answers[MODEL] = whole_answer()
    with sdk(served, house.key, "/api/v1") as client:
        assert client.chat.completions.create(model=MODEL, messages=QUESTION).model == MODEL
        assert len(list(client.models.list())) == 2


def test_x_api_key_opens_as_well(house: House, http: httpx.Client) -> None:
    house.providers.answers[MODEL] = whole_answer()
    asked = {"model": MODEL, "messages": QUESTION}
    headers = {"authorization": "", "x-api-key": house.key}
    assert http.post("/v1/chat/completions", json=asked, headers=headers).status_code == 200


def test_of_the_app_its_origin_is_kept_in_clear_and_its_title_sealed(house: House, http: httpx.Client) -> None:
    house.providers.answers[MODEL] = whole_answer()
    asked = {"model": MODEL, "messages": QUESTION}
    for name, value in (
        (b"X-Title", b"My App"),
        (b"HTTP-Referer", b"https://app.example/chat?token=s3cret#x"),
        (b"X-OpenRouter-Title", b"My Other App"),
        (b"X-Title", b"\xe9"),
    ):
        assert http.post("/v1/chat/completions", json=asked, headers={name: value}).status_code == 200
    assert [(reserved.app, reserved.title) for reserved in house.happened(Reserved)] == [
        ("", sealed_for(house.account_id, b"My App")),
        ("https://app.example", b""),
        ("", sealed_for(house.account_id, b"My Other App")),
        ("", b""),
    ]
    assert not any(settled.app for settled in house.happened(Settled)[::2])


def test_the_owner_reads_the_title_until_the_account_is_erased(house: House, http: httpx.Client) -> None:
    house.providers.answers[MODEL] = whole_answer()
    headers = {"x-title": "Jane's app", "http-referer": "https://app.example/jane"}
    answer = http.post("/v1/chat/completions", json={"model": MODEL, "messages": QUESTION}, headers=headers)

    def shown() -> tuple[str, str, str]:
        data = http.get("/v1/generation", params={"id": answer.json()["id"]}).json()["data"]
        return data["title"], data["origin"], data["http_referer"]

    assert shown() == ("Jane's app", "https://app.example", "https://app.example")
    house.personal_data.swapped.add(house.account_id)
    assert shown()[0] == "cannot be read"
    house.personal_data.erased.add(house.account_id)
    assert shown()[0] == "erased"


def test_a_title_that_cannot_be_sealed_is_left_out(house: House, http: httpx.Client) -> None:
    house.providers.answers[MODEL] = whole_answer()
    house.personal_data.erased.add(house.account_id)
    asked = {"model": MODEL, "messages": QUESTION}
    assert http.post("/v1/chat/completions", json=asked, headers={"x-title": "Jane's app"}).status_code == 200
    assert house.happened(Reserved)[0].title == b""


def test_an_answer_that_was_clamped_says_so(house: House, client: Any) -> None:
    house.providers.answers[MODEL] = whole_answer()
    house.hold_all_but("0.0005")
    raw = client.chat.completions.with_raw_response.create(model=MODEL, messages=QUESTION, max_tokens=1_000)
    granted = house.happened(Reserved)[-1].granted_tokens
    assert raw.headers["x-gatewayz-max-tokens-clamped"] == str(granted)
    assert 16 <= granted < 1_000
    assert house.providers.calls[-1].max_tokens == granted


# ---- errors, as the SDK sorts them


def test_no_credit_is_402_with_the_sentence_that_clients_parse(house: House, client: Any) -> None:
    house.hold_all_but("0")
    with pytest.raises(openai.APIStatusError) as refused:
        client.chat.completions.create(model=MODEL, messages=QUESTION, max_tokens=100)
    assert refused.value.status_code == 402
    assert refused.value.code == "insufficient_credits"
    assert told(refused)["message"] == (
        "This request requires more credits, or fewer max_tokens. "
        "You requested up to 100 tokens, but can only afford 0."
    )


def test_no_credit_for_a_price_per_request_is_402_with_that_price(house: House, http: httpx.Client) -> None:
    house.hold_all_but("0.0001")
    error = http.post("/v1/chat/completions", json={"model": FLAT, "messages": QUESTION, "max_tokens": 100}).json()[
        "error"
    ]
    assert (error["code"], error["metadata"]["needed_usd"]) == ("insufficient_credits", "0.001")
    assert error["message"] == "This request requires more credits: it costs 0.001 USD, whatever its max_tokens."


def test_unknown_disabled_and_expired_keys_are_401(house: House, served: Served) -> None:
    disabled = house.new_key("disabled")
    key_id = done(house.gateway.keys.authenticate(disabled)).key_id
    house.change_key(key_id, disabled=True)
    for secret, code in (("gw_test_nobody", "invalid_api_key"), (disabled, "api_key_disabled")):
        with pytest.raises(openai.AuthenticationError) as refused, sdk(served, secret) as client:
            client.chat.completions.create(model=MODEL, messages=QUESTION)
        assert refused.value.code == code


def test_a_suspended_account_and_a_management_key_are_403(house: House, served: Served) -> None:
    manager = house.new_key("manager", kind="management")
    with pytest.raises(openai.PermissionDeniedError) as refused, sdk(served, manager) as client:
        client.chat.completions.create(model=MODEL, messages=QUESTION)
    assert refused.value.code == "management_key"
    house.suspend()
    with pytest.raises(openai.PermissionDeniedError) as refused, sdk(served, house.key) as client:
        client.chat.completions.create(model=MODEL, messages=QUESTION)
    assert refused.value.code == "account_not_served"


def test_an_unknown_model_is_404_an_unpriced_one_400(client: Any) -> None:
    with pytest.raises(openai.NotFoundError) as unknown:
        client.chat.completions.create(model="acme/none", messages=QUESTION)
    assert unknown.value.code == "model_not_found"
    with pytest.raises(openai.BadRequestError) as unpriced:
        client.chat.completions.create(model=UNPRICED, messages=QUESTION)
    assert unpriced.value.code == "model_not_priced"


def test_a_refusal_by_the_provider_comes_with_its_words_and_param(house: House, client: Any) -> None:
    house.providers.answers[MODEL] = failure(
        "request_refused",
        400,
        fails_over=False,
        explanation=Explanation("temperature is odd", "temperature", "unsupported_value"),
    )
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(model=MODEL, messages=QUESTION, temperature=1.9)
    assert told(refused)["message"] == "temperature is odd"
    assert refused.value.param == "temperature"
    assert told(refused)["metadata"]["provider_code"] == "unsupported_value"


def test_a_prompt_that_is_too_long_is_told_by_the_name_that_clients_know(house: House, client: Any) -> None:
    too_long = Explanation("prompt is too long: 300 tokens > 200 maximum", is_about_length=True)
    house.providers.answers[MODEL] = failure("request_refused", 400, fails_over=False, explanation=too_long)
    with pytest.raises(openai.BadRequestError, match="300 tokens") as refused:
        client.chat.completions.create(model=MODEL, messages=QUESTION)
    assert refused.value.code == "context_length_exceeded"


def test_a_limiting_provider_is_429_with_retry_after(house: House, client: Any) -> None:
    house.providers.answers[MODEL] = failure("rate_limited", 429, retry_after_s=7)
    with pytest.raises(openai.RateLimitError) as refused:
        client.chat.completions.create(model=MODEL, messages=QUESTION)
    assert refused.value.response.headers["retry-after"] == "7"


@pytest.mark.parametrize("status", [401, 402, 403, 404, 500])
def test_a_providers_own_trouble_is_502_and_leaves_nothing_reserved(house: House, client: Any, status: int) -> None:
    house.providers.answers[MODEL] = failure("server_error", status)
    with pytest.raises(openai.APIStatusError) as refused:
        client.chat.completions.create(model=MODEL, messages=QUESTION)
    assert (refused.value.status_code, refused.value.code) == (502, "provider_error")
    assert not house.credit.reservations


def test_P5_the_sdk_does_not_repeat_a_request_that_will_be_charged(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("application.generate.settle_charge.MIN_SETTLE_PATIENCE_S", 0.05)
    house = House(deadlines=Deadlines(request_s=0.1, stream_s=0.1, grace_s=60, reserve_patience_s=5))
    served.app = house.app
    house.ledger.held_back.add(Settle)
    house.providers.answers[MODEL] = whole_answer()
    with pytest.raises(openai.InternalServerError) as refused, sdk(served, house.key, max_retries=2) as client:
        client.chat.completions.create(model=MODEL, messages=QUESTION)
    assert refused.value.code == "settlement_pending"
    assert len(house.providers.calls) == 1
    house.ledger.held_back.clear()
    eventually(lambda: house.happened(Settled))
    (settled,) = house.happened(Settled)
    assert f"gen-{settled.reservation_id}" in told(refused)["message"]


def sdk(served: Served, key: str, path: str = "/v1", max_retries: int = 0) -> Any:
    return openai.OpenAI(base_url=served.url + path, api_key=key, max_retries=max_retries, timeout=10)


def told(refused: pytest.ExceptionInfo[openai.APIStatusError]) -> Any:
    return refused.value.body
