"""Strangers of every kind beside one paying customer. Times belong to tests/soak; here nobody is refused."""

from collections.abc import Iterator

import pytest

from tests.rigs.beside_strangers import alone, beside
from tests.rigs.providers.provider_process import own_provider
from tests.rigs.running import Gateway, gateway
from tests.rigs.strangers import KINDS

FOR_S = 5.0
MAX_GROWN_KIB = 50 * 1024
MOST_S = 10.0
"""Of one request: this machine does other work too. Without the bounds it is longer for some kinds, or refused."""


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[Gateway, str]]:
    with own_provider(7) as provider, gateway(provider.url, GATEWAYZ_FAILED_AUTH_PER_MINUTE="20") as started:
        _, key = started.account_with_key("customer")
        alone(started, key, 2.0)  # everything is loaded and connected
        yield started, key


@pytest.mark.parametrize("kind", KINDS)
def test_p8_strangers_refuse_no_customer_and_fill_no_memory(running: tuple[Gateway, str], kind: str) -> None:
    found = beside(*running, kind, FOR_S)
    assert found.served.failed == []
    assert len(found.served.latencies_s) == round(FOR_S * 10)
    assert max(found.served.latencies_s) <= MOST_S
    assert found.grown_kib <= MAX_GROWN_KIB
