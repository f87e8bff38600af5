"""Who is told in which form: OpenAI's envelope under /v1, OpenRouter's under /api/v1; ids to quote on everything."""

import json

import httpx
import pytest

from tests.adapters.http.house import MODEL, House, error_of
from tests.adapters.http.sse import events_of
from tests.fakes.scripted_providers import failure, streamed_answer, text_chunk, whole_answer

PATH = "/v1/chat/completions"
ASKED = {"model": MODEL, "messages": [{"role": "user", "content": "x"}]}


@pytest.mark.parametrize(
    ("method", "path", "status", "code", "error_type"),
    [
        ("POST", PATH, 400, "invalid_json", "invalid_request"),
        ("GET", PATH, 405, "method_not_allowed", "invalid_request"),
        ("GET", "/v1/nothing", 404, "not_found", "not_found"),
        ("GET", "/v1/generation?id=gen-x", 404, "generation_not_found", "not_found"),
        ("POST", "/v1/keys", 403, "management_key_required", "permission_denied"),
        ("GET", "/v1/credits?after=x", 400, "invalid_request", "invalid_request"),
    ],
)
def test_the_same_refusal_in_both_envelopes(
    http: httpx.Client, method: str, path: str, status: int, code: str, error_type: str
) -> None:
    headers = {"content-type": "application/json"}
    body = b"{" if path == PATH else b'{"name": "a"}'
    openai = http.request(method, path, headers=headers, content=body)
    openrouter = http.request(method, f"/api{path}", headers=headers, content=body)
    assert openai.status_code == openrouter.status_code == status
    told, error = error_of(openai.content), openrouter.json()["error"]
    assert told["code"] == code
    assert set(error) == {"code", "message", "metadata"}
    assert (error["code"], error["message"]) == (status, told["message"])
    assert error["metadata"] == told["metadata"] | {"error_type": error_type, "code": code, "param": told["param"]}


def test_only_the_alias_itself_speaks_openrouters(http: httpx.Client) -> None:
    assert error_of(http.get("/apis/v1/models").content)["code"] == "not_found"
    assert http.get("/api/v2/models").json()["error"]["code"] == 404


@pytest.mark.parametrize("path", ["/health", "/v1/models", "/v1/key", "/api/v1/nothing", PATH, "/openapi.json"])
def test_every_answer_has_a_request_id_of_its_own(http: httpx.Client, path: str) -> None:
    ids = [http.get(path).headers.get_list("x-request-id") for _ in range(2)]
    assert [len(told) for told in ids] == [1, 1]
    assert ids[0][0].startswith("req-")
    assert ids[0] != ids[1]


def test_generations_have_a_request_id_too(house: House, http: httpx.Client) -> None:
    house.providers.answers[MODEL] = whole_answer()
    house.providers.streams[MODEL] = streamed_answer("Hello")
    for stream in (False, True):
        answer = http.post(PATH, json={**ASKED, "stream": stream})
        assert (answer.status_code, len(answer.headers.get_list("x-request-id"))) == (200, 1)


@pytest.mark.parametrize("stream", [False, True])
def test_a_refusal_after_a_reserve_names_the_generation(house: House, http: httpx.Client, stream: bool) -> None:
    house.providers.answers[MODEL] = failure("server_error", 500)
    house.providers.streams[MODEL] = [failure("server_error", 500)]
    answer = http.post(PATH, json={**ASKED, "stream": stream})
    generation_id = answer.headers["x-generation-id"]
    assert error_of(answer.content)["metadata"]["generation_id"] == generation_id
    assert http.get("/v1/generation", params={"id": generation_id}).json()["data"]["status"] == "released"


def test_an_error_in_a_stream_is_a_whole_chunk_for_openrouters_clients(house: House, http: httpx.Client) -> None:
    house.providers.streams[MODEL] = [text_chunk("Hello"), failure("timed_out", 0)]
    first, last = map(json.loads, events_of(http.post(f"/api{PATH}", json={**ASKED, "stream": True}).text))
    assert {
        "id": first["id"],
        "model": MODEL,
        "provider": "acme",
        "object": "chat.completion.chunk",
    }.items() <= last.items()
    assert last["choices"] == [{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": "error"}]
    assert (last["error"]["code"], last["error"]["metadata"]["error_type"]) == (504, "timeout")
    assert last["usage"]["cost"] > 0


def test_an_error_in_a_stream_is_openais_for_all_others(house: House, http: httpx.Client) -> None:
    house.providers.streams[MODEL] = [text_chunk("Hello"), failure("connection_broken", 0)]
    _, last = map(json.loads, events_of(http.post(PATH, json={**ASKED, "stream": True}).text))
    assert set(last) == {"error", "usage"}
    assert last["error"]["code"] == "connection_broken"
