"""The sandbox as a server: OpenAI's own SDK is its first client."""

import subprocess
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import openai
import pytest

from adapters.embedded.sandbox.behaviours import BEHAVIOURS
from adapters.embedded.sandbox.serve import base_url_of, command, listening_socket, running_sandbox
from adapters.outbound.providers.offers.read_rows import SANDBOX_FILE, read_rows
from tests.rigs.processes import wake_ups
from tests.rigs.running import ROOT

SAID: Any = [{"role": "user", "content": "one two three"}]


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    with running_sandbox() as url:
        yield url


@pytest.fixture
def client(base_url: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=base_url, api_key="any", max_retries=0) as sdk:
        yield sdk


def test_every_behaviour_is_for_sale_and_everything_for_sale_behaves() -> None:
    assert {model.native_id for model in read_rows(SANDBOX_FILE)["sandbox"].models} == set(BEHAVIOURS)


def test_openais_sdk_reads_an_answer(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(model="echo", messages=SAID)
    assert answer.choices[0].message.content == "one two three"
    assert answer.usage is not None
    assert answer.usage.total_tokens == 6


def test_openais_sdk_reads_a_stream_with_usage_only_if_asked_for(client: openai.OpenAI) -> None:
    cases: Any = [({"include_usage": True}, 1), (None, 0)]
    for options, usages in cases:
        stream = client.chat.completions.create(model="echo", messages=SAID, stream=True, stream_options=options)
        chunks = list(stream)
        assert "".join(one.choices[0].delta.content or "" for one in chunks if one.choices) == "one two three"
        assert len([one for one in chunks if one.usage]) == usages


def test_openais_sdk_reads_a_streamed_tool_call(client: openai.OpenAI) -> None:
    tools: Any = [
        {"type": "function", "function": {"name": "f", "parameters": {"properties": {"s": {"type": "string"}}}}}
    ]
    with client.chat.completions.stream(model="echo", messages=SAID, tools=tools) as stream:
        call = stream.get_final_completion().choices[0].message.tool_calls
    assert call is not None
    assert (call[0].function.name, call[0].function.arguments) == ("f", '{"s":"one two three"}')


@pytest.mark.parametrize(
    ("model", "error"),
    [
        ("error-500", openai.InternalServerError),
        ("rate-limited", openai.RateLimitError),
        ("unauthorized", openai.AuthenticationError),
        ("nonsense", openai.NotFoundError),
    ],
)
def test_openais_sdk_reads_the_errors(client: openai.OpenAI, model: str, error: type[openai.APIStatusError]) -> None:
    with pytest.raises(error):
        client.chat.completions.create(model=model, messages=SAID)


def test_it_tells_what_it_served(base_url: str) -> None:
    url = base_url.removesuffix("/v1") + "/_served"
    before = httpx.get(url).json()["models"].get("free", {"requests": 0, "prompt_tokens": 0, "completion_tokens": 0})
    for stream in (False, True):
        httpx.post(f"{base_url}/chat/completions", json={"model": "free", "messages": SAID, "stream": stream})
    after = httpx.get(url).json()["models"]["free"]
    assert {name: after[name] - before[name] for name in ("requests", "prompt_tokens", "completion_tokens")} == {
        "requests": 2,
        "prompt_tokens": 6,
        "completion_tokens": 6,
    }


@pytest.mark.parametrize(
    ("body", "param"),
    [(b"{", None), (b"[]", None), (b'{"model":"echo","messages":[{"role":"user"}],"sandbox":{"words":0}}', "sandbox")],
)
def test_a_body_it_cannot_read_is_refused(base_url: str, body: bytes, param: str | None) -> None:
    response = httpx.post(f"{base_url}/chat/completions", content=body)
    assert (response.status_code, response.json()["error"]["param"]) == (400, param)


def test_other_paths_are_unknown(base_url: str) -> None:
    assert httpx.get(f"{base_url}/models").status_code == 404


def test_it_sleeps_while_nothing_is_asked_and_a_signal_ends_it_at_once() -> None:
    with listening_socket() as sock:
        with subprocess.Popen(command(sock), pass_fds=[sock.fileno()], cwd=ROOT) as server:
            dates = [httpx.get(base_url_of(sock)).headers["date"]]
            time.sleep(0.5)
            before = wake_ups(server.pid)
            time.sleep(2)
            assert wake_ups(server.pid) - before <= 4, "uvicorn wakes ten times a second"
            dates.append(httpx.get(base_url_of(sock)).headers["date"])
            asked_s = time.monotonic()
            server.terminate()
            server.wait(5)
        assert time.monotonic() - asked_s < 1.0
        assert (parsedate_to_datetime(dates[1]) - parsedate_to_datetime(dates[0])).total_seconds() >= 2
