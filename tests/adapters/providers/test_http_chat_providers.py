"""The real client of providers over real HTTP: the sandbox, and canned servers. Its contract: tests/contracts."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import msgspec
import pytest
import pytest_asyncio

from adapters.embedded.sandbox.serve import running_sandbox
from adapters.embedded.sandbox.served import ModelServed
from adapters.outbound.providers.dialects.sse import MAX_IDLE_LINES
from adapters.outbound.providers.failures import ErrorClass
from adapters.outbound.providers.http_chat_providers import HttpChatProviders
from adapters.outbound.providers.offers.load_catalog import load_catalog
from adapters.outbound.providers.watch import MAX_MESSAGE_CHARACTERS
from application.ports.chat_providers import ChatCall, ChatProviders
from application.ports.provider_answer import NEXT_EVENT, Answer, Chunk
from application.ports.provider_failure import ProviderFailure
from tests.adapters.providers.call_words import GENERATION_ID, a_call, an_endpoint, an_offer, last_usage
from tests.rigs.providers.canned_server import CannedServer, canned_server, http
from tests.rigs.providers.read_stream import batches_of

SAID = "the quick brown fox"
STREAM = b'data: {"id":"x","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
ANSWER = b'{"id":"x","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}]}'


@pytest.fixture(scope="module")
def sandbox() -> Iterator[str]:
    with running_sandbox() as base_url:
        yield base_url


@pytest_asyncio.fixture
async def providers(sandbox: str) -> AsyncIterator[ChatProviders]:
    client = HttpChatProviders(load_catalog(None, {}, sandbox, on=date(2026, 11, 22)).endpoints)
    yield client
    await client.close()


@asynccontextmanager
async def client_of(server: CannedServer) -> AsyncIterator[HttpChatProviders]:
    client = HttpChatProviders({"acme": an_endpoint(base_url=server.base_url)})
    try:
        yield client
    finally:
        await client.close()


def to(model: str, *, timeout_s: float = 10.0, max_tokens: int = 100, **body: Any) -> ChatCall:
    offer = an_offer(provider="sandbox", model=f"sandbox/{model}", native_id=model)
    said = {"model": offer.model, "messages": [{"role": "user", "content": SAID}], **body}
    return a_call(said, offer=offer, timeout_s=timeout_s, max_tokens=max_tokens)


async def whole(providers: ChatProviders, call: ChatCall) -> Answer:
    return await providers.complete(call)


async def streamed(providers: ChatProviders, call: ChatCall) -> list[Chunk]:
    return [chunk for batch in await batches_of(providers, call) for chunk in batch]


BOTH_WAYS = pytest.mark.parametrize("ask", [whole, streamed])
Ask = Callable[[ChatProviders, ChatCall], Any]


async def failure_of(ask: Ask, providers: ChatProviders, call: ChatCall) -> ProviderFailure:
    with pytest.raises(ProviderFailure) as failed:
        await ask(providers, call)
    return failed.value


async def served(sandbox: str, model: str) -> ModelServed:
    async with httpx.AsyncClient(trust_env=False) as client:
        models = (await client.get(sandbox.removesuffix("/v1") + "/_served")).json()["models"]
    return msgspec.convert(models.get(model, {}), ModelServed)


def text_of(chunks: list[Chunk]) -> str:
    documents = [msgspec.json.decode(event) for chunk in chunks if chunk.data for event in chunk.data.split(NEXT_EVENT)]
    return "".join(choice["delta"].get("content") or "" for one in documents for choice in one["choices"])


# ---- answers


@pytest.mark.asyncio
async def test_a_whole_answer_and_a_stream_say_and_count_the_same(providers: ChatProviders) -> None:
    answer = await providers.complete(to("echo"))
    chunks = await streamed(providers, to("echo"))
    body = msgspec.json.decode(answer.body)
    assert body["choices"][0]["message"]["content"] == text_of(chunks) == SAID
    assert answer.usage == last_usage(chunks) == {"input": 4, "output": 4}
    assert (body["id"], body["model"]) == (GENERATION_ID, "sandbox/echo")
    assert [chunk.finish_reason for chunk in chunks if chunk.is_last] == [answer.finish_reason] == ["stop"]


@pytest.mark.asyncio
async def test_the_granted_tokens_are_what_the_provider_may_use(providers: ChatProviders) -> None:
    answer = await providers.complete(to("echo", max_tokens=2, max_completion_tokens=4_000))
    assert (answer.usage, answer.finish_reason) == ({"input": 4, "output": 2}, "length")


@pytest.mark.asyncio
async def test_what_the_registry_drops_is_told_and_not_sent() -> None:
    catalog = load_catalog(None, {"GROQ_API_KEY": "gsk"}, None, on=date(2026, 11, 22))
    client = HttpChatProviders(catalog.endpoints)
    offer = an_offer(provider="groq")
    assert client.dropped(offer, {"service_tier": "flex", "plugins": [], "seed": 1}) == ("plugins", "service_tier")
    assert client.dropped(offer, {"seed": 1}) == ()
    await client.close()


@pytest.mark.asyncio
async def test_tool_calls_come_both_ways(providers: ChatProviders) -> None:
    tools = [
        {"type": "function", "function": {"name": "say", "parameters": {"properties": {"it": {"type": "string"}}}}}
    ]
    answer = await providers.complete(to("echo", tools=tools))
    chunks = await streamed(providers, to("echo", tools=tools))
    message = msgspec.json.decode(answer.body)["choices"][0]["message"]
    assert message["tool_calls"][0]["function"] == {"name": "say", "arguments": '{"it":"the quick brown fox"}'}
    assert answer.finish_reason == chunks[-2].finish_reason == "tool_calls"
    assert sum(chunk.output_bytes for chunk in chunks) == answer.output_bytes


@pytest.mark.asyncio
async def test_what_we_counted_is_what_the_provider_served(providers: ChatProviders, sandbox: str) -> None:
    before = await served(sandbox, "per-request")
    calls = [to("per-request", n=1 + number % 3) for number in range(10)]
    answers = await asyncio.gather(*(providers.complete(call) for call in calls))
    streams = await asyncio.gather(*(streamed(providers, call) for call in calls))
    after = await served(sandbox, "per-request")
    usages = [answer.usage or {} for answer in answers] + [last_usage(chunks) for chunks in streams]
    assert after.answered - before.answered == len(usages)
    assert after.prompt_tokens - before.prompt_tokens == sum(usage["input"] for usage in usages)
    assert after.completion_tokens - before.completion_tokens == sum(usage["output"] for usage in usages)


@pytest.mark.asyncio
async def test_usage_that_comes_late_still_comes(providers: ChatProviders) -> None:
    chunks = await streamed(providers, to("late-usage"))
    assert last_usage(chunks) == {"input": 4, "output": 4}


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("model", "usage"),
    [
        ("no-usage", None),
        ("negative-usage", {"input": 4, "output": -4}),
        ("nan-usage", {"input": -1, "output": -1}),
        ("huge-usage", {"input": 4, "output": 2**63}),
    ],
)
async def test_usage_is_passed_on_as_it_was_told(providers: ChatProviders, model: str, usage: Any) -> None:
    answer = await providers.complete(to(model))
    chunks = await streamed(providers, to(model))
    assert answer.usage == last_usage(chunks) == usage
    assert (answer.raw_usage is None) == (usage is None)


# ---- failures


@pytest.mark.asyncio
@BOTH_WAYS
@pytest.mark.parametrize(
    ("model", "error_class", "status", "fails_over"),
    [
        ("unauthorized", ErrorClass.UNAUTHORIZED, 401, True),
        ("not-found", ErrorClass.NOT_FOUND, 404, True),
        ("rate-limited", ErrorClass.RATE_LIMITED, 429, True),
        ("error-500", ErrorClass.SERVER_ERROR, 500, True),
        ("error-503", ErrorClass.SERVER_ERROR, 503, True),
        ("error-mid-stream", ErrorClass.SERVER_ERROR, 502, True),
        ("bad-request", ErrorClass.REQUEST_REFUSED, 400, False),
        ("redirect", ErrorClass.UNEXPECTED_STATUS, 307, False),
        ("html", ErrorClass.WRONG_CONTENT_TYPE, 200, True),
        ("malformed", ErrorClass.MALFORMED_ANSWER, 200, True),
        ("bad-utf8", ErrorClass.MALFORMED_ANSWER, 200, True),
        ("cut", ErrorClass.CONNECTION_BROKEN, 200, True),
    ],
)
async def test_a_failure_has_a_class_and_says_whether_the_next_may_be_tried(
    providers: ChatProviders, ask: Ask, model: str, error_class: ErrorClass, status: int, fails_over: bool
) -> None:
    failure = await failure_of(ask, providers, to(model))
    assert (failure.attempt.error_class, failure.attempt.status) == (error_class, status)
    assert (failure.fails_over, failure.attempt.provider) == (fails_over, "sandbox")


@pytest.mark.asyncio
@BOTH_WAYS
async def test_a_refused_request_is_the_clients_with_the_providers_words(providers: ChatProviders, ask: Ask) -> None:
    failure = await failure_of(ask, providers, to("bad-request"))
    assert failure.explanation is not None
    assert (failure.explanation.message, failure.explanation.param) == (
        "Unsupported value: 'temperature'.",
        "temperature",
    )


@pytest.mark.asyncio
@BOTH_WAYS
async def test_other_failures_keep_the_providers_words_to_themselves(providers: ChatProviders, ask: Ask) -> None:
    failure = await failure_of(ask, providers, to("unauthorized"))
    assert failure.explanation is None


@pytest.mark.asyncio
@BOTH_WAYS
async def test_a_rate_limit_says_when_to_come_back(providers: ChatProviders, ask: Ask) -> None:
    assert (await failure_of(ask, providers, to("rate-limited"))).retry_after_s == 7


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("ask", "error_class"), [(whole, ErrorClass.ANSWER_TOO_LARGE), (streamed, ErrorClass.EVENT_TOO_LARGE)]
)
async def test_an_answer_has_a_bound(providers: ChatProviders, ask: Ask, error_class: ErrorClass) -> None:
    failure = await failure_of(ask, providers, to("endless"))
    assert failure.attempt.error_class == error_class
    assert not failure.fails_over
    assert failure.unread_bytes > 1_000_000


@pytest.mark.asyncio
@BOTH_WAYS
async def test_the_deadline_holds_before_the_first_byte(providers: ChatProviders, ask: Ask) -> None:
    failure = await failure_of(ask, providers, to("slow", timeout_s=0.2))
    assert (failure.attempt.error_class, failure.attempt.status) == (ErrorClass.TIMED_OUT, 0)
    assert 150 <= failure.attempt.duration_ms < 1_500


@pytest.mark.asyncio
@BOTH_WAYS
async def test_nobody_listening_is_a_connect_failure(ask: Ask) -> None:
    async with canned_server(b"") as server:
        pass
    async with client_of(server) as client:
        failure = await failure_of(ask, client, a_call())
    assert (failure.attempt.error_class, failure.attempt.status) == (ErrorClass.CONNECT_FAILED, 0)
    assert failure.fails_over


@pytest.mark.asyncio
@BOTH_WAYS
async def test_a_connection_closed_without_an_answer_is_a_broken_one(ask: Ask) -> None:
    async with canned_server(b"") as server, client_of(server) as client:
        failure = await failure_of(ask, client, a_call())
    assert (failure.attempt.error_class, failure.attempt.status) == (ErrorClass.CONNECTION_BROKEN, 0)


@pytest.mark.asyncio
@BOTH_WAYS
@pytest.mark.parametrize("response", [b"SSH-2.0-x\r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n"])
async def test_what_does_not_speak_http_is_a_malformed_answer(ask: Ask, response: bytes) -> None:
    async with canned_server(response) as server, client_of(server) as client:
        failure = await failure_of(ask, client, a_call())
    assert failure.attempt.error_class == ErrorClass.MALFORMED_ANSWER


@pytest.mark.asyncio
async def test_an_error_object_instead_of_a_stream_is_judged_by_its_code() -> None:
    error = http("200 OK", b'{"error":{"message":"slow down","code":429}}')
    async with canned_server(error) as server, client_of(server) as client:
        failure = await failure_of(streamed, client, a_call())
    assert (failure.attempt.error_class, failure.attempt.status) == (ErrorClass.RATE_LIMITED, 429)


@pytest.mark.parametrize("idle", [b": still here\n\n", b"event: ping\n\n", b"data: {}\n\n"])
async def test_a_stream_that_says_nothing_has_a_bound(idle: bytes) -> None:
    endless = http("200 OK", idle * (MAX_IDLE_LINES + 1) + STREAM, "text/event-stream")
    async with canned_server(endless) as server, client_of(server) as client:
        failure = await failure_of(streamed, client, a_call())
    assert failure.attempt.error_class == ErrorClass.MALFORMED_ANSWER


# ---- secrets, redirects, proxies, cookies


@pytest.mark.asyncio
@BOTH_WAYS
async def test_our_key_never_leaves_in_a_message(ask: Ask) -> None:
    quoting = http("400 Bad Request", b'{"error":{"message":"bad header: Bearer sk-acme-secret"}}')
    async with canned_server(quoting) as server, client_of(server) as client:
        failure = await failure_of(ask, client, a_call())
    assert failure.explanation is not None
    assert failure.explanation.message == "bad header: Bearer [key]"
    assert "sk-acme-secret" not in repr(failure) + repr(failure.__cause__)
    assert b"sk-acme-secret" in server.requests[0]


IN_THE_MIDDLE = b'data: {"choices":[{"index":0,"delta":{"content":"So far"}}]}\n\n'


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            b'{"code":500,"message":"engine 7 died (Bearer sk-acme-secret)\\u0007\\ud83d"}',
            "engine 7 died (Bearer [key])??",
        ),
        (b'"no more"', "no more"),
        (b'{"message":"' + b"x" * 5_000 + b'"}', "x" * MAX_MESSAGE_CHARACTERS),
        (b'{"code":500,"message":"<html><body>502</body>"}', ""),
        (b'{"code":401,"message":"Incorrect API key provided: sk-ac***cret"}', ""),
        (b'{"code":429,"message":"Rate limit reached in organization org-7"}', ""),
        (b'{"type":"insufficient_quota","message":"You exceeded your current quota"}', ""),
    ],
)
async def test_a_providers_words_in_the_middle_are_bounded_and_not_about_the_operators_account(
    error: bytes, words: str
) -> None:
    body = IN_THE_MIDDLE + b'data: {"error":' + error + b"}\n\n"
    async with canned_server(http("200 OK", body, "text/event-stream")) as server, client_of(server) as client:
        failure = await failure_of(streamed, client, a_call())
    assert (failure.explanation, failure.words) == (None, words)


@pytest.mark.asyncio
async def test_a_redirect_is_not_followed() -> None:
    moved = http("307 Temporary Redirect", b"{}", "application/json", "location: /elsewhere")
    async with canned_server(moved) as server, client_of(server) as client:
        failure = await failure_of(whole, client, a_call())
    assert (failure.attempt.status, failure.fails_over, len(server.requests)) == (307, False, 1)


@pytest.mark.asyncio
async def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with canned_server(http("200 OK", ANSWER)) as server, client_of(server) as client:
        assert (await client.complete(a_call())).finish_reason == "stop"


@pytest.mark.asyncio
async def test_no_cookie_travels_from_one_request_to_the_next() -> None:
    baked = http("200 OK", ANSWER, "application/json", "set-cookie: who=me; Path=/")
    async with canned_server(baked) as server, client_of(server) as client:
        await client.complete(a_call())
        await client.complete(a_call())
    assert b"cookie" not in server.requests[1].lower()


@pytest.mark.asyncio
@BOTH_WAYS
@pytest.mark.parametrize("encoding", ["gzip", "gzip, gzip", "br", "deflate", "zstd", "x"])
async def test_an_encoding_that_was_not_asked_for_is_not_unpacked(ask: Ask, encoding: str) -> None:
    media_type = "application/json" if ask is whole else "text/event-stream"
    bomb = http("200 OK", gzip.compress(gzip.compress(bytes(10**8))), media_type, f"content-encoding: {encoding}")
    async with canned_server(bomb) as server, client_of(server) as client:
        failure = await failure_of(ask, client, a_call())
    assert failure.attempt.error_class == ErrorClass.MALFORMED_ANSWER
    assert b"accept-encoding: identity" in server.requests[0].lower()


@pytest.mark.asyncio
@BOTH_WAYS
async def test_an_error_in_an_encoding_is_judged_by_its_status(ask: Ask) -> None:
    packed = http("429 Too Many", gzip.compress(b'{"error":"x"}'), "application/json", "content-encoding: gzip")
    async with canned_server(packed) as server, client_of(server) as client:
        assert (await failure_of(ask, client, a_call())).attempt.error_class == ErrorClass.RATE_LIMITED


@pytest.mark.asyncio
@BOTH_WAYS
async def test_a_rate_limit_may_name_a_date(ask: Ask) -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=40), usegmt=True)
    limited = http("429 Too Many", b"{}", "application/json", f"retry-after: {soon}")
    async with canned_server(limited) as server, client_of(server) as client:
        retry_after_s = (await failure_of(ask, client, a_call())).retry_after_s
    assert retry_after_s is not None
    assert 30 <= retry_after_s <= 41


@pytest.mark.asyncio
@pytest.mark.parametrize("retry_after", ["Fri, 31 Dec 1999 23:59:59 GMT", "tomorrow", "-5", "1e999", "nan"])
async def test_a_date_that_is_past_or_none_is_no_reason_to_wait_for_long(retry_after: str) -> None:
    limited = http("429 Too Many", b"{}", "application/json", f"retry-after: {retry_after}")
    async with canned_server(limited) as server, client_of(server) as client:
        assert (await failure_of(whole, client, a_call())).retry_after_s == 1


# ---- a whole answer where a stream was asked for


@pytest.mark.asyncio
async def test_a_whole_answer_to_a_request_for_a_stream_is_handed_out_as_one() -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "add", "arguments": '{"a":1}'}}
    message = {"role": "assistant", "content": "Hello", "reasoning": "hm", "tool_calls": [call]}
    body = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 7,
        "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7},
    }
    async with canned_server(http("200 OK", json.dumps(body).encode())) as server, client_of(server) as client:
        chunks = await streamed(client, a_call())
    first, last, usage = chunks
    delta = json.loads(first.data)["choices"][0]["delta"]
    assert delta == {**message, "tool_calls": [{"index": 0, **call}]}
    assert json.loads(first.data)["object"] == "chat.completion.chunk"
    assert json.loads(last.data)["choices"] == [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]
    assert (last.is_last, last.finish_reason) == (True, "tool_calls")
    assert usage.usage == {"input": 3, "output": 4}
    assert first.output_bytes > len("Hello")
