"""P1, P9: the gateway is stopped and started under load, again and again: clean 503s, or a port that is closed."""

import random
import time

from tests.e2e.clients import Seen
from tests.faults.oracle import settled_books
from tests.faults.waves import Waves, outcomes, two_processes
from tests.running import SERVE, spawn, stop, wait_until_ready

SEED = 52
TIMES = 8
NOBODY_LISTENS = "ConnectError"
"""What httpx calls a refused connection; one that was accepted and then broke off has other names."""


def test_p1_a_gateway_that_is_stopped_and_started_under_load_answers_503_or_is_not_there() -> None:
    """From SIGTERM to the supervisor until its end: connections are served, told 503, or, once the last API process has
    closed the port, refused; none is accepted and then dropped."""
    dice = random.Random(SEED)
    with two_processes(SEED) as (house, provider):
        _, key = house.account_with_key("stops", usd="1000")
        seen: list[Seen] = []
        for n in range(TIMES):
            with Waves(house, key, f"stop {n}") as load:
                time.sleep(dice.uniform(0.2, 0.5))
                stop(house.supervisor)
            seen += load.seen
            house = house._replace(supervisor=spawn(*SERVE, **house.environment))
            wait_until_ready(house.port)
        try:
            print(f"  {outcomes(seen)}")
            assert outcomes(seen).keys() <= {(503, "shutting_down"), (0, NOBODY_LISTENS)}
            settled_books(house, house.dsn(), provider, seen)
        finally:
            stop(house.supervisor)
