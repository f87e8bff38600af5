"""P1, P9: an API process is told to stop under load, again and again: the other serves on, the port stays open."""

import os
import random
import signal
import time
from functools import partial

from tests.e2e.installation import eventually
from tests.faults.oracle import settled_books
from tests.faults.waves import Waves, outcomes, two_processes
from tests.processes import api_processes
from tests.running import Gateway

SEED = 51
TIMES = 12


def serving(house: Gateway) -> list[int]:
    """API processes that have begun, oldest first: they have opened their metrics."""
    files = " ".join(file.name for file in (house.home / "run" / "metrics").iterdir())
    return [pid for pid in api_processes(house.supervisor.pid, 3) if f"_{pid}.db" in files]


def has_ended(house: Gateway, pid: int) -> bool:
    return pid not in api_processes(house.supervisor.pid, 3)


def test_p1_an_api_process_that_is_told_to_stop_under_load_fails_nobody() -> None:
    """The other one serves on, the port stays open: not even a refused connection."""
    dice = random.Random(SEED)
    with two_processes(SEED) as (house, provider):
        _, key = house.account_with_key("restarts", usd="1000")
        with Waves(house, key, "restart") as load:
            for _ in range(TIMES):
                time.sleep(dice.uniform(0.2, 0.5))
                eventually(lambda: len(serving(house)) == 2, within_s=60)
                oldest = serving(house)[0]
                os.kill(oldest, signal.SIGTERM)
                eventually(partial(has_ended, house, oldest), within_s=60)
        print(f"  {outcomes(load.seen)}")
        assert outcomes(load.seen).keys() <= {(503, "shutting_down")}
        settled_books(house, house.dsn(), provider, load.seen)
