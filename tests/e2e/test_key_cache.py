"""Keys die everywhere within a second, on two API processes under load, also while the projector is stopped."""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Iterator

import pytest

from tests.rigs.installation.ask_with_key import ask_for, call
from tests.rigs.processes import projector_process
from tests.rigs.providers.provider_process import own_provider
from tests.rigs.running import Gateway, gateway

ENDS_WITHIN_S = 1.0
ASKING_S = 2.5
"""Load goes on this long after the key was ended: an answer in it later than a second is a failure."""


@pytest.fixture(scope="module")
def running() -> Iterator[Gateway]:
    with own_provider(seed=1) as provider, gateway(provider.url, workers=2) as started:
        yield started


def revoke(running: Gateway, path: str) -> None:
    call(running, "DELETE", path, {"confirmation": "DELETE_KEY"})


def disable(running: Gateway, path: str) -> None:
    call(running, "PATCH", path, {"disabled": True})


def rotate(running: Gateway, path: str) -> None:
    call(running, "POST", f"{path}/rotate", {"grace_s": 0})


async def end_under_load(running: Gateway, key: str, end: Callable[[], None]) -> list[float]:
    """Seconds after the end was acknowledged at which requests were sent that were still answered."""
    load = asyncio.create_task(ask_for(running, key, ASKING_S + 0.5))
    await asyncio.sleep(0.5)
    await asyncio.to_thread(end)
    ended = time.monotonic()
    seen = await load
    assert {status for _, status in seen} <= {200, 401}
    assert any(status == 200 for _, status in seen), "the key must have worked before"
    assert any(status == 401 for _, status in seen), "and must be refused after"
    return [sent - ended for sent, status in seen if status == 200]


@pytest.mark.parametrize("end", [revoke, disable, rotate])
@pytest.mark.parametrize("projector", ["running", "stopped"])
def test_a_key_that_ends_under_load_is_refused_everywhere_within_a_second(
    running: Gateway, end: Callable[[Gateway, str], None], projector: str
) -> None:
    account, key = running.account_with_key(f"{end.__name__}-{projector}")
    listed = call(running, "GET", f"/admin/accounts/{account}")["keys"]
    path = f"/admin/accounts/{account}/keys/{key_id_of(listed)}"
    pid = projector_process(running.supervisor.pid)
    if projector == "stopped":
        os.kill(pid, signal.SIGSTOP)
    try:
        answered = asyncio.run(end_under_load(running, key, lambda: end(running, path)))
    finally:
        os.kill(pid, signal.SIGCONT)
    assert max(answered) <= ENDS_WITHIN_S


def test_a_new_key_works_at_once_while_the_projector_is_stopped(running: Gateway) -> None:
    account, _ = running.account_with_key("newcomer")
    pid = projector_process(running.supervisor.pid)
    os.kill(pid, signal.SIGSTOP)
    try:
        issued = call(running, "POST", f"/admin/accounts/{account}/keys", {"label": "second", "environment": "live"})
        seen = asyncio.run(ask_for(running, issued["api_key"], 0.5))
    finally:
        os.kill(pid, signal.SIGCONT)
    assert {status for _, status in seen} == {200}


def key_id_of(listed: object) -> str:
    assert isinstance(listed, list)
    (key,) = listed
    return str(key["key_id"] if "key_id" in key else key["hash"])
