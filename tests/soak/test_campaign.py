"""P1, P3: more kills, of every kind, in an order that the suite's seeds do not have."""

import pytest

from tests.rigs.faults.campaign import campaign, run
from tests.rigs.faults.victims import VICTIMS


@pytest.mark.parametrize("seed", [101, 102, 103])
def test_p1_what_clients_received_whole_is_settled_once_whatever_is_killed(seed: int) -> None:
    with campaign(seed) as running:
        run(running, list(VICTIMS), kills=5)
