"""What a stream may hold of memory, and that one which brought nothing is another provider's to answer, or nobody's."""

import json
import socket
from typing import Any

import httpx
import pytest

from application.generate.keep_answer import KeptAnswer
from application.ports.provider_answer import Chunk
from domain.credit.events import Released, Settled
from tests.adapters.http.eventually import eventually
from tests.adapters.http.house import MODEL, House
from tests.adapters.http.served import Served
from tests.adapters.http.sse import events_of
from tests.fakes.scripted_providers import failure, streamed_answer, usage_chunk

ASKED = {"model": MODEL, "messages": [{"role": "user", "content": "x"}], "stream": True}
ROLE = b'{"id":"x","model":"x","choices":[{"index":0,"delta":{"role":"assistant"},"finish_reason":null}]}'
BARE = Chunk(data=ROLE, is_bare=True)


@pytest.mark.parametrize("steps", [[BARE, failure("server_error", 500)], [BARE], [BARE, usage_chunk({"input": 10})]])
def test_a_stream_that_brought_nothing_is_a_plain_refusal_and_costs_nothing(
    house: House, http: httpx.Client, steps: list[Any]
) -> None:
    """F12: its first chunk holds only a role."""
    house.providers.streams[MODEL] = steps
    answer = http.post("/v1/chat/completions", json=ASKED)
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "provider_error")
    assert (len(house.happened(Released)), house.happened(Settled)) == (1, [])


def test_hidden_reasoning_is_output(house: House, http: httpx.Client) -> None:
    house.providers.streams[MODEL] = [BARE, usage_chunk({"input": 10, "output": 5})]
    *_, usage, done = events_of(http.post("/v1/chat/completions", json=ASKED).text)
    assert (done, json.loads(usage)["usage"]["cost"]) == ("[DONE]", 0.00002)


def test_an_answer_that_is_too_large_to_be_kept_is_not_kept_in_memory(
    house: House, http: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("application.generate.stream_chat.MAX_STORED_BYTES", 2_000)
    kept: list[int] = []
    encode = KeptAnswer.encode

    def noting(self: KeptAnswer) -> bytes:
        kept.append(len(self.parts))
        return encode(self)

    monkeypatch.setattr(KeptAnswer, "encode", noting)
    for texts in (1, 40):
        house.providers.streams[MODEL] = streamed_answer(*["x" * 100] * texts)
        headers = {"idempotency-key": str(texts)}
        assert "[DONE]" in http.post("/v1/chat/completions", json=ASKED, headers=headers).text
    assert kept == [2]  # the small one


def old_answer(served: Served, key: str) -> tuple[bytes, dict[str, Any] | bytes]:
    """Head and body of a stream asked for over HTTP/1.0."""
    body = json.dumps(ASKED).encode()
    head = (
        "POST /v1/chat/completions HTTP/1.0\r\nhost: x\r\ncontent-type: application/json\r\n"
        f"authorization: Bearer {key}\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", served.port), 10) as wire:
        wire.sendall(head.encode() + body)
        received = b"".join(iter(lambda: wire.recv(65_536), b""))
    head_received, _, answer = received.partition(b"\r\n\r\n")
    return head_received, json.loads(answer) if answer.startswith(b"{") else answer


def test_a_stream_for_http_1_0_is_gathered_within_a_bound(
    house: House, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.inbound.http.server.gather_answer.MAX_GATHERED_BYTES", 5_000)
    house.providers.streams[MODEL] = streamed_answer("Hello")
    head, answer = old_answer(served, house.key)
    assert head.startswith(b"HTTP/1.1 200")
    assert isinstance(answer, bytes) and answer.endswith(b"data: [DONE]\n\n")
    house.providers.streams[MODEL] = streamed_answer(*["x" * 1_000] * 100)
    head, answer = old_answer(served, house.key)
    assert head.startswith(b"HTTP/1.1 505")
    assert b"x-generation-id: gen-" in head and b"x-should-retry: false" in head and b"x-request-id" in head
    assert isinstance(answer, dict) and answer["error"]["code"] == "stream_too_large_for_http_1_0"
    eventually(lambda: len(house.happened(Settled)) == 2)


@pytest.mark.parametrize(
    ("error_class", "status", "header"),
    [
        ("unauthorized", 401, "x-should-retry"),
        ("malformed_answer", 200, "x-should-retry"),
        ("server_error", 500, "retry-after"),
    ],
)
def test_a_502_says_whether_it_is_worth_repeating(
    house: House, http: httpx.Client, error_class: str, status: int, header: str
) -> None:
    """F11: an hour of retries otherwise."""
    retry_after_s = 7 if header == "retry-after" else None
    house.providers.streams[MODEL] = [failure(error_class, status, retry_after_s=retry_after_s)]
    answer = http.post("/v1/chat/completions", json=ASKED)
    told = {name: answer.headers[name] for name in ("x-should-retry", "retry-after") if name in answer.headers}
    assert (answer.status_code, told) == (502, {header: "false" if retry_after_s is None else "7"})
