"""A loop that nobody calls: goes on over failures that pass, ends by those that do not."""

import asyncio

import pytest

from adapters.inbound.workers.repeat import repeat


class Work:
    """Fails in the turns that it is told to; stops the loop after `turns`."""

    def __init__(self, stop: asyncio.Event, turns: int, failures: dict[int, Exception] | None = None) -> None:
        self.stop = stop
        self.turns = turns
        self.failures = failures or {}
        self.done = 0

    async def __call__(self) -> None:
        self.done += 1
        if self.done >= self.turns:
            self.stop.set()
        if self.done in self.failures:
            raise self.failures[self.done]


async def test_it_repeats_until_it_is_stopped() -> None:
    stop = asyncio.Event()
    work = Work(stop, turns=3)
    await repeat(work, 0.001, stop, passing=())
    assert work.done == 3


async def test_a_failure_that_may_pass_is_tried_again() -> None:
    stop = asyncio.Event()
    work = Work(stop, turns=3, failures={1: ConnectionError("away"), 2: TimeoutError()})
    await repeat(work, 0.001, stop, passing=(OSError, TimeoutError))
    assert work.done == 3


async def test_any_other_failure_ends_it() -> None:
    stop = asyncio.Event()
    work = Work(stop, turns=3, failures={2: ValueError("money is at stake")})
    with pytest.raises(ValueError, match="money"):
        await repeat(work, 0.001, stop, passing=(OSError,))
    assert work.done == 2


async def test_it_stops_without_another_turn() -> None:
    stop = asyncio.Event()
    work = Work(stop, turns=3)
    running = asyncio.create_task(repeat(work, 60.0, stop, passing=()))
    await asyncio.sleep(0)
    stop.set()
    await asyncio.wait_for(running, 1.0)
    assert work.done == 0
