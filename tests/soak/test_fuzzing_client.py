"""As tests/e2e/test_fuzzing_client.py, 50,000 inputs."""

import pytest

from tests.rigs.fuzzing_client import attack
from tests.rigs.providers.provider_process import own_provider
from tests.rigs.running import gateway


@pytest.mark.parametrize("seed", [181, 182, 183, 184, 185])
def test_10000_inputs_leave_a_gateway_that_is_whole(seed: int, capfd: pytest.CaptureFixture[str]) -> None:
    with own_provider(seed) as provider, gateway(provider.url) as started:
        told = attack(started, seed, 10_000, capfd)
    with capfd.disabled():
        print(told)
