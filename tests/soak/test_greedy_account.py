"""One account with 2,100 slow requests to a provider: what another account waits for the same provider."""

import asyncio
import resource
from collections import Counter
from statistics import median
from typing import NamedTuple

import pytest

from tests.rigs.beside_strangers import alone
from tests.rigs.load import post
from tests.rigs.providers.provider_process import ProviderProcess, own_provider
from tests.rigs.running import Gateway, gateway

REQUESTS = 2_100
TAKES_S = 60
SLOW = {
    "model": "test/tokens",
    "max_tokens": 1,
    "messages": [{"role": "user", "content": f"takes {TAKES_S} s"}],
}
SETTLED_WITHIN_S = 25.0
MEASURED_S = 20.0
"""Both together are less than a slow answer takes, so that every one of them is under way while it is measured."""
PAIRS = 5


class Bounded(NamedTuple):
    """admitted: of the slow requests; refused: with which status all others are."""

    concurrency: str
    admitted: int
    refused: int


BOUNDS = {
    "by the provider's share alone": Bounded("0", 512, 503),
    "as it is shipped": Bounded("200", 200, 429),
}


async def _beside(started: Gateway, provider: ProviderProcess, greedy: str, other: str, bounded: Bounded) -> float:
    """The other account's p99 while every slow request that is admitted waits for its answer."""
    request = post("/v1/chat/completions", SLOW, greedy)
    slow = [asyncio.create_task(_status(started.port, request)) for _ in range(REQUESTS)]
    async with asyncio.timeout(SETTLED_WITHIN_S):
        while sum(task.done() for task in slow) < REQUESTS - bounded.admitted:
            await asyncio.sleep(0.1)
    assert await asyncio.to_thread(provider.inside) == bounded.admitted
    found = await asyncio.to_thread(alone, started, other, MEASURED_S)
    assert await asyncio.to_thread(provider.inside) == bounded.admitted, "one ended before the measurement did"
    assert found.failed == []
    assert Counter(await asyncio.gather(*slow)) == {200: bounded.admitted, bounded.refused: REQUESTS - bounded.admitted}
    return found.p99_s


async def _status(port: int, request: bytes) -> int:
    """On a connection of its own, in plain bytes: a client library spends a minute on so many."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        return int((await reader.readline()).split()[1])
    finally:
        writer.close()


@pytest.mark.parametrize("bounded", BOUNDS.values(), ids=BOUNDS)
def test_p8_another_account_waits_no_longer(bounded: Bounded, capsys: pytest.CaptureFixture[str]) -> None:
    _, allowed = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(allowed, 65_536), allowed))
    with (
        own_provider(9) as provider,
        gateway(
            provider.url,
            GATEWAYZ_CONNECTIONS_PER_ADDRESS="8192",
            GATEWAYZ_PROVIDER_SHARE="0.25",
            GATEWAYZ_CONCURRENCY_PER_ACCOUNT=bounded.concurrency,
        ) as started,
    ):
        _, greedy = started.account_with_key("greedy")
        _, other = started.account_with_key("other")
        alone(started, other, 3.0)
        pairs = []
        for _ in range(PAIRS):
            alone_s = alone(started, other, MEASURED_S).p99_s
            pairs.append((alone_s, asyncio.run(_beside(started, provider, greedy, other, bounded))))
    alone_s, beside_s = median(one for one, _ in pairs), median(two for _, two in pairs)
    with capsys.disabled():
        print(f"\n{REQUESTS} slow requests, {bounded.admitted} admitted:", end=" ")
        print(
            f"p99 of another account {alone_s * 1e3:.0f} ms alone, {beside_s * 1e3:.0f} ms beside (pairs in ms:",
            end=" ",
        )
        print(", ".join(f"{one * 1e3:.0f}/{two * 1e3:.0f}" for one, two in pairs) + ")")
    assert beside_s <= 2 * alone_s
