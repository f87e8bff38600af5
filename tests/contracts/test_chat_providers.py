"""What application.ports.chat_providers promises, kept by scripts and by the client of the sandbox over real HTTP.

What only HTTP can do wrong is in tests/adapters/providers/test_http_chat_providers.py.
"""

from collections.abc import AsyncIterator, Iterator
from datetime import date

import msgspec
import pytest

from adapters.embedded.sandbox.serve import running_sandbox
from adapters.outbound.providers.http_chat_providers import HttpChatProviders
from adapters.outbound.providers.offers.load_catalog import load_catalog
from application.ports.chat_providers import ChatCall, ChatProviders
from application.ports.provider_answer import NEXT_EVENT, Chunk
from application.ports.provider_failure import ProviderFailure
from domain.pricing.usage import Usage
from tests.adapters.providers.call_words import GENERATION_ID, a_call, an_offer, last_usage
from tests.fakes.scripted_providers import (
    ScriptedProviders,
    failure,
    last_chunk,
    text_chunk,
    usage_chunk,
    whole_answer,
)
from tests.rigs.providers.read_stream import batches_of

PORT = ChatProviders
SUBJECTS = {"scripted": ScriptedProviders, "http": HttpChatProviders}
TEXT = "the quick brown fox"
USAGE: Usage = {"input": 4, "output": 4}
ECHO, REFUSES = "sandbox/echo", "sandbox/bad-request"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[str]:
    with running_sandbox() as base_url:
        yield base_url


@pytest.fixture
async def providers(subject: str, request: pytest.FixtureRequest) -> AsyncIterator[ChatProviders]:
    if subject == "scripted":
        yield scripted()
        return
    endpoints = load_catalog(None, {}, request.getfixturevalue("sandbox"), on=date(2026, 11, 22)).endpoints
    client = HttpChatProviders(endpoints)
    yield client
    await client.close()


def scripted() -> ScriptedProviders:
    """As the sandbox answers."""
    providers = ScriptedProviders()
    refused = failure("request_refused", 400, fails_over=False)
    refused.attempt = msgspec.structs.replace(refused.attempt, provider="sandbox")
    providers.answers = {ECHO: whole_answer(TEXT, USAGE), REFUSES: refused}
    words = [text_chunk(word if n == 0 else f" {word}") for n, word in enumerate(TEXT.split())]
    providers.streams = {ECHO: [*words, last_chunk(), usage_chunk(USAGE)], REFUSES: [refused]}
    return providers


def to(model: str) -> ChatCall:
    offer = an_offer(provider="sandbox", model=model, native_id=model.partition("/")[2])
    return a_call({"model": model, "messages": [{"role": "user", "content": TEXT}]}, offer=offer)


async def streamed(providers: ChatProviders, call: ChatCall) -> list[Chunk]:
    return [chunk for batch in await batches_of(providers, call) for chunk in batch]


def events_of(chunks: list[Chunk]) -> list[dict[str, object]]:
    return [msgspec.json.decode(event) for chunk in chunks if chunk.data for event in chunk.data.split(NEXT_EVENT)]


async def test_an_answer_is_ours_by_name_and_counted(providers: ChatProviders) -> None:
    answer = await providers.complete(to(ECHO))
    body = msgspec.json.decode(answer.body)
    assert (body["id"], body["model"]) == (GENERATION_ID, ECHO)
    assert body["choices"][0]["message"]["content"] == TEXT
    assert (answer.usage, answer.finish_reason, answer.output_bytes) == (USAGE, "stop", len(TEXT))


async def test_a_stream_says_and_counts_the_same(providers: ChatProviders) -> None:
    chunks = await streamed(providers, to(ECHO))
    events = events_of(chunks)
    assert {(event["id"], event["model"]) for event in events} == {(GENERATION_ID, ECHO)}
    deltas = [choice["delta"] for event in events for choice in event["choices"]]  # type: ignore[attr-defined]
    assert "".join(delta.get("content") or "" for delta in deltas) == TEXT
    assert [chunk.finish_reason for chunk in chunks if chunk.is_last] == ["stop"]
    assert last_usage(chunks) == USAGE
    assert sum(chunk.output_bytes for chunk in chunks) == len(TEXT)


async def test_a_batch_is_never_empty(providers: ChatProviders) -> None:
    assert all(await batches_of(providers, to(ECHO)))


@pytest.mark.parametrize("is_stream", [False, True])
async def test_a_refusal_is_a_failure_with_its_attempt(providers: ChatProviders, is_stream: bool) -> None:
    with pytest.raises(ProviderFailure) as failed:
        await (streamed(providers, to(REFUSES)) if is_stream else providers.complete(to(REFUSES)))
    attempt = failed.value.attempt
    assert (attempt.provider, attempt.status, failed.value.fails_over) == ("sandbox", 400, False)


async def test_what_is_not_sent_is_a_part_of_what_was_asked_in_order(providers: ChatProviders) -> None:
    asked = ["seed", "plugins", "models"]
    dropped = providers.dropped(to(ECHO).offer, asked)
    assert list(dropped) == sorted(set(dropped) & set(asked))
