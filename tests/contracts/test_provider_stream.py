"""What application.ports.chat_providers promises of an open stream, kept by a script and by a body over real HTTP."""

from collections.abc import AsyncIterator, Iterator
from datetime import date

import pytest

from adapters.embedded.sandbox.serve import running_sandbox
from adapters.outbound.providers.http_chat_providers import ChunksOfBody, HttpChatProviders
from adapters.outbound.providers.offers.load_catalog import load_catalog
from application.ports.chat_providers import ProviderStream
from application.ports.provider_failure import ProviderFailure
from tests.adapters.providers.call_words import a_call, an_offer
from tests.fakes.scripted_providers import ScriptedStream, failure, last_chunk, text_chunk

PORT = ProviderStream
SUBJECTS = {"scripted": ScriptedStream, "http": ChunksOfBody}
WHOLE, BROKEN = "sandbox/echo", "sandbox/error-mid-stream"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[str]:
    with running_sandbox() as base_url:
        yield base_url


@pytest.fixture(params=[WHOLE])
async def stream(subject: str, request: pytest.FixtureRequest) -> AsyncIterator[ProviderStream]:
    model = request.param
    call = a_call(offer=an_offer(provider="sandbox", model=model, native_id=model.partition("/")[2]))
    if subject == "scripted":
        rest = [last_chunk()] if model == WHOLE else [failure()]
        yield ScriptedStream([text_chunk("some"), text_chunk(" words"), *rest], call, on_close=lambda: None)
        return
    endpoints = load_catalog(None, {}, request.getfixturevalue("sandbox"), on=date(2026, 11, 22)).endpoints
    client = HttpChatProviders(endpoints)
    stream = await client.stream(call)
    assert isinstance(stream, ChunksOfBody)
    yield stream
    stream.close()
    await client.close()


async def to_its_end(stream: ProviderStream) -> None:
    while await stream.next() is not None:
        pass


async def test_after_its_end_there_is_no_more(stream: ProviderStream) -> None:
    await to_its_end(stream)
    assert await stream.next() is None


async def test_it_may_be_closed_twice_also_before_its_end(stream: ProviderStream) -> None:
    assert await stream.next()
    stream.close()
    stream.close()


@pytest.mark.parametrize("stream", [BROKEN], indirect=True)
async def test_chunks_before_a_failure_come_before_it(stream: ProviderStream) -> None:
    assert await stream.next()
    with pytest.raises(ProviderFailure):
        await to_its_end(stream)
