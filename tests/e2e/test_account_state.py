"""A suspended account is refused on every process within a second, a reinstated one is served again
(docs/reference/rules.md#accounts)."""

import asyncio
import time
from collections.abc import Iterator

import pytest

from tests.rigs.installation.ask_with_key import ask_for, call
from tests.rigs.running import PYTHON, Gateway, free_port, gateway, process

WITHIN_S = 1.0
ASKING_S = 2.0
"""Load goes on this long after the change: an answer in it later than a second tells."""

WHY = "abuse reported by a provider"


@pytest.fixture(scope="module")
def running() -> Iterator[Gateway]:
    port = free_port()
    with (
        process(PYTHON, "-m", "tests.rigs.providers.own_provider", str(port), "1", port=port),
        gateway(f"http://127.0.0.1:{port}/v1", workers=2) as started,
    ):
        yield started


def change(running: Gateway, account: str, state: str) -> None:
    assert call(running, "POST", f"/admin/accounts/{account}/state", {"state": state, "reason": WHY})["state"] == state


async def change_under_load(running: Gateway, account: str, key: str, state: str) -> list[tuple[float, int]]:
    """(seconds after the change was acknowledged at which a request was sent, its status)."""
    before = asyncio.create_task(ask_for(running, key, 1.0))
    await asyncio.sleep(0.5)
    await asyncio.to_thread(change, running, account, state)
    changed = time.monotonic()
    after = await ask_for(running, key, ASKING_S)
    return [(sent - changed, status) for sent, status in [*await before, *after]]


def test_a_suspended_account_is_refused_everywhere_within_a_second_and_a_reinstated_one_served(
    running: Gateway,
) -> None:
    account, key = running.account_with_key("suspended")
    seen = asyncio.run(change_under_load(running, account, key, "suspended"))
    assert {status for _, status in seen} == {200, 403}
    assert {status for after_s, status in seen if after_s > WITHIN_S} == {403}
    seen = asyncio.run(change_under_load(running, account, key, "active"))
    assert {status for after_s, status in seen if after_s > WITHIN_S} == {200}


def test_the_command_line_changes_a_running_instance(running: Gateway) -> None:
    _, key = running.account_with_key("closing")
    done = running.command("account", "state", "closing", "closed", "--reason", WHY)
    assert (done.returncode, done.stdout.rpartition(" is ")[2]) == (0, "now closed\n")
    again = running.command("account", "state", "closing", "closed", "--reason", WHY)
    assert (again.returncode, again.stdout.rpartition(" is ")[2]) == (0, "already closed\n")
    time.sleep(WITHIN_S)
    assert {status for _, status in asyncio.run(ask_for(running, key, 0.3))} == {403}
