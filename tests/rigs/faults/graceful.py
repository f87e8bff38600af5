"""Processes that are asked to end under load, again and again; what clients may see meanwhile."""

import asyncio
import os
import random
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from tests.rigs.faults.oracle import settled_books
from tests.rigs.faults.waves import Waves, outcomes, two_processes
from tests.rigs.installation.clients import Seen, ask_all
from tests.rigs.installation.installation import eventually
from tests.rigs.processes import api_processes
from tests.rigs.providers.provider_process import own_provider
from tests.rigs.running import SERVE, Gateway, gateway, spawn, stop, wait_until_ready

NOBODY_LISTENS = "ConnectError"
"""httpx's name of a refused connection; one that was accepted and then broke off has other names."""


def restart_api_processes(seed: int, times: int) -> None:
    """Each time SIGTERM to the older of two API processes: the other serves on, no connection is refused."""
    dice = random.Random(seed)
    with two_processes(seed) as (house, provider):
        _, key = house.account_with_key("restarts", usd="1000")
        with Waves(house, key, "restart") as load:
            for _ in range(times):
                time.sleep(dice.uniform(0.2, 0.5))
                eventually(lambda: len(serving(house)) == 2, within_s=60)
                oldest = serving(house)[0]
                os.kill(oldest, signal.SIGTERM)
                eventually(partial(has_ended, house, oldest), within_s=60)
        print(f"  {outcomes(load.seen)}")
        assert outcomes(load.seen).keys() <= {(503, "shutting_down")}
        settled_books(house, house.dsn(), provider, load.seen)


def stop_gateway(seed: int, times: int) -> None:
    """Each time SIGTERM to the supervisor, and a new start: until its end connections are served, answered 503, or,
    after the last API process has closed the port, refused; none is accepted and then dropped."""
    dice = random.Random(seed)
    with two_processes(seed) as (house, provider):
        _, key = house.account_with_key("stops", usd="1000")
        seen: list[Seen] = []
        for n in range(times):
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


def stop_with_a_hung_process(seed: int) -> None:
    """The only API process hangs, and is killed during the stop: who waited in the port's backlog gets a 503."""
    with own_provider(seed) as provider, gateway(provider.url, workers=1) as house:
        _, key = house.account_with_key("hung", usd="1000")
        eventually(lambda: len(serving(house)) == 1, within_s=60)
        [hung] = serving(house)
        os.kill(hung, signal.SIGSTOP)
        with ThreadPoolExecutor(1) as pool:
            asking = pool.submit(asyncio.run, ask_all(house.port, key, "test/tokens", [f"hung {n}" for n in range(16)]))
            time.sleep(0.5)
            house.supervisor.terminate()
            time.sleep(0.5)
            os.kill(hung, signal.SIGKILL)
            assert outcomes(asking.result(60)) == {(503, "shutting_down"): 16}
        house.supervisor.wait(60)


def serving(house: Gateway) -> list[int]:
    """API processes that have begun, oldest first: they have opened their metrics."""
    files = " ".join(file.name for file in (house.home / "run" / "metrics").iterdir())
    return [pid for pid in api_processes(house.supervisor.pid, 3) if f"_{pid}.db" in files]


def has_ended(house: Gateway, pid: int) -> bool:
    return pid not in api_processes(house.supervisor.pid, 3)
