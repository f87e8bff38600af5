"""Strangers of every kind beside one paying customer, alone and beside in turn: what he waits for them."""

from statistics import median

import pytest

from tests.rigs.beside_strangers import alone, beside
from tests.rigs.providers.provider_process import own_provider
from tests.rigs.running import gateway
from tests.rigs.strangers import KINDS

FOR_S = 60.0
PAIRS = 5


@pytest.mark.parametrize("kind", KINDS)
def test_p8_a_customer_waits_little_for_strangers(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    with own_provider(7) as provider, gateway(provider.url, GATEWAYZ_FAILED_AUTH_PER_MINUTE="20") as started:
        _, key = started.account_with_key("customer")
        alone(started, key, 5.0)
        pairs = [(alone(started, key, FOR_S / PAIRS), beside(started, key, kind, FOR_S / PAIRS)) for _ in range(PAIRS)]
    alone_s = median(one.p99_s for one, _ in pairs)
    beside_s = median(two.served.p99_s for _, two in pairs)
    longest_s = max(max(two.served.latencies_s) for _, two in pairs)
    grown_kib = max(two.grown_kib for _, two in pairs)
    with capsys.disabled():
        print(f"\n{kind}: p99 {alone_s * 1e3:.0f} ms alone, {beside_s * 1e3:.0f} ms beside, longest", end=" ")
        print(f"{longest_s * 1e3:.0f} ms, memory +{grown_kib / 1024:.0f} MB")
    assert not [status for _, two in pairs for status in two.served.failed]
    assert beside_s <= max(5 * alone_s, 0.150)
    assert longest_s <= 1.0
    assert grown_kib <= 50 * 1024
