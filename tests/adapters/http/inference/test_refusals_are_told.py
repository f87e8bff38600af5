"""Operators hear of every refused and failed request, and of every failure of a provider (F10)."""

import httpx
import pytest

from application.ports.provider_failure import Explanation
from tests.adapters.http.house import MODEL, House
from tests.fakes.scripted_providers import failure, text_chunk

PATH = "/v1/chat/completions"
ASKED = {"model": MODEL, "messages": [{"role": "user", "content": "x"}]}


def test_a_refusal_is_told_with_the_id_that_the_client_has(house: House, http: httpx.Client) -> None:
    answer = http.post(f"/api{PATH}", json={**ASKED, "model": "acme/none"})
    (told,) = house.telemetry.refused_requests
    assert (told.code, told.status, told.method, told.path) == ("model_not_found", 404, "POST", f"/api{PATH}")
    assert told.request_id == answer.headers["x-request-id"]
    assert told.message == answer.json()["error"]["message"]


def test_a_refusal_of_fastapis_routes_is_told_too(house: House, http: httpx.Client) -> None:
    http.get("/v1/generation?id=gen-x")
    assert [told.code for told in house.telemetry.refused_requests] == ["generation_not_found"]


@pytest.mark.parametrize("stream", [False, True])
def test_a_provider_that_fails_is_told_and_so_is_the_request(house: House, http: httpx.Client, stream: bool) -> None:
    house.providers.answers[MODEL] = failure("unauthorized", 401)
    house.providers.streams[MODEL] = [failure("unauthorized", 401)]
    answer = http.post(PATH, json={**ASKED, "stream": stream})
    ((model, generation_id, attempt),) = house.telemetry.failures
    assert (model, attempt.provider, attempt.error_class, attempt.status) == (MODEL, "acme", "unauthorized", 401)
    assert generation_id == answer.headers["x-generation-id"] == house.telemetry.refused_requests[0].generation_id


def test_a_stream_that_breaks_off_is_told_as_both(house: House, http: httpx.Client) -> None:
    house.providers.streams[MODEL] = [text_chunk("Hello"), failure("connection_broken", 0)]
    answer = http.post(PATH, json={**ASKED, "stream": True})
    ((_, generation_id, attempt),) = house.telemetry.failures
    (told,) = house.telemetry.refused_requests
    assert attempt.error_class == told.code == "connection_broken"
    assert generation_id == told.generation_id == answer.headers["x-generation-id"]


def test_a_request_that_its_provider_refuses_is_no_failure_of_the_provider(house: House, http: httpx.Client) -> None:
    house.providers.answers[MODEL] = failure("request_refused", 400, explanation=Explanation("no"))
    http.post(PATH, json=ASKED)
    assert house.telemetry.failures == []
    assert [told.code for told in house.telemetry.refused_requests] == ["provider_refused_request"]
