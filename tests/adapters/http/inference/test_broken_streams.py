"""A stream's error event is written as a refusal's body is: with the same members, and the facts in `metadata`."""

import json
from typing import Any

import httpx
import pytest

from adapters.inbound.http.errors.envelopes import OPENAI, OPENROUTER
from adapters.inbound.http.errors.table import TABLE, answer_to, answer_to_break
from adapters.outbound.providers.failures import ErrorClass
from application.generate.settle_charge import Outcome, SettleCharge
from application.generate.stream_end import CUT_OFF, broken_off
from application.ports.provider_failure import Explanation
from domain.errors import DomainError
from tests.adapters.http.house import MODEL, House, error_of
from tests.adapters.http.sse import events_of
from tests.application.test_meter_answer import held
from tests.fakes.scripted_providers import Step, failure, last_chunk, text_chunk

PATH = "/v1/chat/completions"
ASKED = {"model": MODEL, "messages": [{"role": "user", "content": "x"}], "stream": True}
TOLD = Explanation("no such tool", "tools[0]", "bad_tool")
TOO_LONG = Explanation("prompt is too long", is_about_length=True)


def last_event(http: httpx.Client, path: str = PATH) -> dict[str, Any]:
    *_, last = events_of(http.post(path, json=ASKED).text)
    event: dict[str, Any] = json.loads(last)
    return event


def both_errors(house: House, http: httpx.Client, *steps: Step) -> tuple[dict[str, Any], dict[str, Any]]:
    """OpenAI's and OpenRouter's error of a stream that goes so, without the id, in which they differ."""
    house.providers.streams[MODEL] = [text_chunk("So far"), *steps]
    openai, openrouter = last_event(http)["error"], last_event(http, f"/api{PATH}")["error"]
    for error in (openai, openrouter):
        assert error["metadata"].pop("generation_id").startswith("gen-")
    return openai, openrouter


def assert_same(openai: dict[str, Any], openrouter: dict[str, Any]) -> None:
    assert set(openai) == {"message", "type", "code", "param", "metadata"}
    assert set(openrouter) == {"message", "code", "metadata"}
    ours = {"code": openai["code"], "param": openai["param"]}
    kind = openrouter["metadata"]["error_type"]
    assert openrouter["metadata"] == {**openai["metadata"], **ours, "error_type": kind}
    assert openrouter["message"] == openai["message"]


@pytest.mark.parametrize("error_class", list(ErrorClass))
def test_a_failure_in_the_middle_has_the_facts_that_one_before_the_first_chunk_has(
    house: House, http: httpx.Client, error_class: str
) -> None:
    house.providers.streams[MODEL] = [failure(error_class, 500)]
    refused = error_of(http.post(PATH, json=ASKED).content)["metadata"]
    openai, openrouter = both_errors(house, http, failure(error_class, 500))
    assert_same(openai, openrouter)
    assert (openai["code"], openai["param"]) == (error_class, None)
    assert {**openai["metadata"], "generation_id": refused["generation_id"]} == {**refused, "model": MODEL}


@pytest.mark.parametrize(
    ("explanation", "code", "param"),
    [(TOLD, "provider_refused_request", "tools[0]"), (TOO_LONG, "context_length_exceeded", None)],
)
def test_a_refusal_by_the_provider_in_the_middle_is_the_one_before_the_first_chunk(
    house: House, http: httpx.Client, explanation: Explanation, code: str, param: str | None
) -> None:
    house.providers.streams[MODEL] = [failure("request_refused", 400, explanation=explanation)]
    refused = error_of(http.post(PATH, json=ASKED).content)
    openai, openrouter = both_errors(house, http, failure("request_refused", 400, explanation=explanation))
    assert_same(openai, openrouter)
    assert (openai["code"], openai["param"], openai["metadata"]["provider_code"]) == (code, param, explanation.code)
    assert [openai[name] for name in ("message", "type", "param")] == [
        refused[name] for name in ("message", "type", "param")
    ]


@pytest.mark.parametrize("code", ["settlement_pending", "insufficient_credits", "ledger_unavailable"])
def test_an_answer_withheld_has_the_facts_of_its_refusal(
    house: House, http: httpx.Client, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    async def refuse(settle: SettleCharge, held: object, outcome: Outcome) -> None:
        raise DomainError(code, retry_after_s=5)

    monkeypatch.setattr(SettleCharge, "__call__", refuse)
    openai, openrouter = both_errors(house, http, last_chunk())
    assert_same(openai, openrouter)
    assert (openai["code"], openai["type"], openai["message"]) == (
        code,
        TABLE[code].type,
        "the answer was withheld: its charge could not be recorded",
    )
    assert openai["metadata"] == {"retry_after_s": 5, "model": MODEL, "provider": "acme"}


def test_a_stream_that_outlasts_the_drain_names_its_generation_model_and_provider() -> None:
    end = broken_off(held(), failure(CUT_OFF, 0), None, None)
    answer = answer_to_break(end.code, end.message, end.facts)
    assert (answer.status, answer.detail.code) == (503, "shutting_down")
    assert answer.detail.metadata == {"generation_id": "gen-r", "model": "a/m", "provider": "a"}


@pytest.mark.parametrize("code", TABLE)
def test_every_code_is_written_the_same_in_a_stream_and_as_a_body(code: str) -> None:
    """Also one that breaks a stream off from outside, after a keep-alive opened it."""
    facts = {"generation_id": "gen-1", "param": "username", "kind": "username", "provider": "acme"}
    refused = answer_to(DomainError(code, **facts))
    broken = answer_to_break(code, refused.detail.message, facts)
    for envelope in (OPENAI, OPENROUTER):
        whole = json.loads(envelope.whole(refused.status, refused.detail))["error"]
        event = json.loads(envelope.event(broken.status, broken.detail, b'{"cost":0}'))
        assert event["error"] == whole
        assert event["usage"] == {"cost": 0}
