"""No account takes every connection to a provider."""

import asyncio
from collections.abc import Iterable

import msgspec
import pytest

from adapters.outbound.providers.shared_providers import SharedProviders
from application.ports.chat_providers import ChatCall
from application.ports.provider_answer import Answer
from application.ports.provider_failure import ProviderFailure
from domain.catalog.offer import Offer
from domain.errors import DomainError
from tests.adapters.http.house import MODEL, PER_TOKEN, offer
from tests.fakes.scripted_providers import ScriptedStream, failure


class Slow:
    """Answers when told to."""

    def __init__(self) -> None:
        self.may_answer = asyncio.Event()
        self.inside = 0
        self.is_down = False

    async def complete(self, call: ChatCall) -> Answer:
        self.inside += 1
        await self.may_answer.wait()
        return Answer(body=b"{}", usage=None, raw_usage=None)

    async def stream(self, call: ChatCall) -> ScriptedStream:
        if self.is_down:
            raise failure(fails_over=True)
        return ScriptedStream([], call, on_close=lambda: None)

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
    streams = [await shared.stream(call_of(account)) for account in ("a", "a", "b", "b")]
    for account in ("a", "c"):
        with pytest.raises(DomainError, match="overloaded"):
            await shared.stream(call_of(account))
    streams[0].close()
    streams[0].close()  # gives back one place, not two
    await shared.stream(call_of("c"))
    with pytest.raises(DomainError, match="overloaded"):
        await shared.stream(call_of("d"))


async def test_a_stream_that_does_not_open_holds_no_place() -> None:
    slow = Slow()
    shared = SharedProviders(slow, places=1, share=1)
    slow.is_down = True
    with pytest.raises(ProviderFailure):
        await shared.stream(call_of("a"))
    slow.is_down = False
    await shared.stream(call_of("a"))
