"""P1, P9: kill -9 of any process. The supervisor replaces its children; nothing outlives the supervisor."""

import os
import signal
import time
import urllib.request
from collections.abc import Callable, Iterator

import pytest

from tests.rigs.installation.installation import Installation, eventually, installation, is_idle, on_a_free_machine

API_WORKS_WITHIN_S = 1.0
REPLACED_WITHIN_S = 1.0
POSTGRES_WORKS_WITHIN_S = 4.0
"""Half a second on a fast disk: recovery first syncs every file of the cluster, beside what other tests write."""

GONE_WITHIN_S = 2.0

API, PROJECTOR, SANDBOX, POSTGRES = (
    "supervised api",
    "supervised projector",
    "embedded.sandbox",
    "pginstall/bin/postgres",
)


@pytest.fixture(scope="module")
def house() -> Iterator[Installation]:
    with installation() as made:
        made.start()
        yield made


def kill(house: Installation, program: str) -> int:
    """kill -9 the oldest child of that program."""
    pid = house.children(program)[0]
    os.kill(pid, signal.SIGKILL)
    return pid


def works(house: Installation) -> bool:
    try:
        return bool(house.chat()["usage"]["cost"])
    except OSError:  # a connection cut off, or an error status
        return False


def is_ready(house: Installation) -> bool:
    try:
        with urllib.request.urlopen(house.request("/ready")) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def seconds_until(holds: Callable[[], object]) -> float:
    began_s = time.monotonic()
    eventually(holds)
    return time.monotonic() - began_s


def test_p9_a_killed_api_process_is_back_within_a_second(house: Installation) -> None:
    eventually(lambda: len(house.children(API)) == 2 and all(map(is_idle, house.children(API))))  # the spare has loaded
    kill(house, API)
    assert seconds_until(lambda: works(house)) < on_a_free_machine(API_WORKS_WITHIN_S)


@pytest.mark.parametrize("program", [PROJECTOR, SANDBOX], ids=["projector", "sandbox"])
def test_p9_a_killed_child_is_replaced_within_a_second(house: Installation, program: str) -> None:
    killed = kill(house, program)
    took_s = seconds_until(lambda: killed not in house.children(program) and house.children(program))
    assert took_s < on_a_free_machine(REPLACED_WITHIN_S)
    eventually(lambda: works(house))


def test_p9_a_killed_postgres_is_back_and_requests_work_again(house: Installation) -> None:
    kill(house, POSTGRES)
    assert seconds_until(lambda: works(house)) < on_a_free_machine(POSTGRES_WORKS_WITHIN_S)


def test_p4_the_ledger_is_clean_after_all_that(house: Installation) -> None:
    eventually(lambda: is_ready(house))
    verified = house.command("verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_p9_a_killed_supervisor_leaves_nothing_running_and_the_next_start_works(house: Installation) -> None:
    assert house.supervisor is not None
    house.supervisor.kill()
    house.stopped()
    assert house.leaves_nothing_running(within_s=on_a_free_machine(GONE_WITHIN_S))
    house.start()
    assert works(house)
