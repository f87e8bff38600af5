"""One account with 2,100 slow requests to a provider: what another account waits for the same provider."""

import asyncio
import resource
from collections import Counter
from statistics import median

import httpx
import pytest

from tests.beside_strangers import alone
from tests.provider_process import own_provider
from tests.running import Gateway, gateway

REQUESTS = 2_100
SLOW = {
    "model": "test/tokens",
    "max_tokens": 1,
    "messages": [{"role": "user", "content": "takes 20 s"}],
}
PAIRS = 3


async def _beside(started: Gateway, greedy: str, other: str) -> tuple[float, list[int], Counter[int]]:
    """The other's p99, its failures, and what became of the slow ones."""
    headers = {"authorization": f"Bearer {greedy}"}
    limits = httpx.Limits(max_connections=REQUESTS)
    base = f"http://127.0.0.1:{started.port}"
    async with httpx.AsyncClient(base_url=base, headers=headers, timeout=120, limits=limits) as client:
        slow = [asyncio.create_task(client.post("/v1/chat/completions", json=SLOW)) for _ in range(REQUESTS)]
        await asyncio.sleep(8)  # they are all where they can get
        found = await asyncio.to_thread(alone, started, other, 10.0)
        ends = Counter([answer.status_code for answer in await asyncio.gather(*slow)])
    return found.p99_s, found.failed, ends


def test_p8_another_account_waits_no_longer(capsys: pytest.CaptureFixture[str]) -> None:
    """Without the bound of requests under way, so that the provider's share is what stands."""
    _, allowed = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(allowed, 65_536), allowed))
    with (
        own_provider(9) as provider,
        gateway(provider.url, GATEWAYZ_PROVIDER_SHARE="0.25", GATEWAYZ_CONNECTIONS_PER_ADDRESS="8192") as started,
    ):
        _, greedy = started.account_with_key("greedy")
        _, other = started.account_with_key("other")
        alone(started, other, 3.0)
        pairs = []
        for _ in range(PAIRS):
            alone_s = alone(started, other, 10.0).p99_s
            pairs.append((alone_s, *asyncio.run(_beside(started, greedy, other))))
    alone_s, beside_s = median(pair[0] for pair in pairs), median(pair[1] for pair in pairs)
    ends = sum((pair[3] for pair in pairs), Counter[int]())
    with capsys.disabled():
        print(f"\np99 {alone_s * 1e3:.0f} ms alone, {beside_s * 1e3:.0f} ms beside; the slow ones: {dict(ends)}")
    assert not [status for pair in pairs for status in pair[2]]
    assert set(ends) == {200, 503}
    assert ends[200] == PAIRS * 512
    assert beside_s <= 2 * alone_s
