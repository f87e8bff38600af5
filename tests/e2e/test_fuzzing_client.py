"""A seeded client that sends what no library would, to a running gateway. `pytest -s` shows seed and counts."""

import pytest

from tests.rigs.fuzzing_client import attack
from tests.rigs.providers.provider_process import own_provider
from tests.rigs.running import gateway


@pytest.mark.parametrize("seed", [81])
def test_2000_inputs_leave_a_gateway_that_is_whole(seed: int, capfd: pytest.CaptureFixture[str]) -> None:
    with own_provider(seed) as provider, gateway(provider.url) as started:
        print(attack(started, seed, 2_000, capfd))
