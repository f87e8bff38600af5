"""No account takes every connection to a provider."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec
import pytest

from adapters.outbound.providers.shared_providers import SharedProviders
from application.ports.chat_providers import ChatCall
from application.ports.provider_answer import Answer, Chunk
from domain.catalog.offer import Offer
from domain.errors import DomainError
from tests.adapters.http.house import MODEL, PER_TOKEN, offer


class Slow:
    """Answers when told to."""

    def __init__(self) -> None:
        self.may_answer = asyncio.Event()
        self.inside = 0

    async def complete(self, call: ChatCall) -> Answer:
        self.inside += 1
        await self.may_answer.wait()
        return Answer(body=b"{}", usage=None, raw_usage=None)

    @asynccontextmanager
    async def stream(self, call: ChatCall) -> AsyncIterator[AsyncIterator[Sequence[Chunk]]]:
        async def nothing() -> AsyncIterator[Sequence[Chunk]]:
            return
            yield

        yield nothing()

    def dropped(self, offer: Offer, names: Iterable[str]) -> tuple[str, ...]:
        return ()


def call_of(account: str, provider: str = "acme") -> ChatCall:
    sold = msgspec.structs.replace(offer(MODEL, PER_TOKEN), provider=provider)
    return ChatCall(offer=sold, members=[], generation_id="gen-1", max_tokens=1, timeout_s=60, account_id=account)


async def test_2100_slow_requests_of_one_account_leave_three_quarters_to_the_others() -> None:
    slow = Slow()
    shared = SharedProviders(slow, places=2_048, share=0.25)
    tasks = [asyncio.create_task(shared.complete(call_of("greedy"))) for _ in range(2_100)]
    await asyncio.sleep(0)
    assert slow.inside == 512
    others = [asyncio.create_task(shared.complete(call_of("other"))) for _ in range(100)]
    elsewhere = asyncio.create_task(shared.complete(call_of("greedy", "another")))
    await asyncio.sleep(0)
    assert slow.inside == 512 + 100 + 1
    slow.may_answer.set()
    ends = await asyncio.gather(*tasks, return_exceptions=True)
    refused = [end for end in ends if isinstance(end, DomainError)]
    assert len(refused) == 2_100 - 512
    assert {refusal.code for refusal in refused} == {"overloaded"}
    await asyncio.gather(*others, elsewhere)
    assert (await shared.complete(call_of("greedy"))).body == b"{}", "the places are free again"


async def test_a_full_pool_is_refused_to_everybody_and_a_stream_holds_its_place_to_its_end() -> None:
    shared = SharedProviders(Slow(), places=4, share=0.5)
    async with AsyncExitStack() as streams:
        for account in ("a", "a", "b", "b"):
            await streams.enter_async_context(shared.stream(call_of(account)))
        for account in ("a", "c"):
            with pytest.raises(DomainError, match="overloaded"):
                await streams.enter_async_context(shared.stream(call_of(account)))
    async with shared.stream(call_of("c")):
        pass
