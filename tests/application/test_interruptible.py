"""An interrupted wait ends alone; a cancellation from elsewhere is never taken for an interruption."""

import asyncio
from collections.abc import Callable

import pytest

from application.generate.interruptible import Interruptible


class Waiting:
    """A task that waits for `future`, as often as it is interrupted."""

    def __init__(self) -> None:
        self.future = asyncio.get_running_loop().create_future()
        self.interrupted = 0
        self.task = asyncio.create_task(self._run())

    async def _run(self) -> str:
        self.wait = Interruptible()
        while True:
            self.wait.is_under_way = True
            try:
                return str(await asyncio.shield(self.future))
            except asyncio.CancelledError:
                if not self.wait.was_interrupted():
                    raise
                self.interrupted += 1
            finally:
                self.wait.is_under_way = False


async def waiting() -> Waiting:
    made = Waiting()
    await asyncio.sleep(0)
    return made


async def test_a_wait_that_is_interrupted_ends_and_the_task_goes_on() -> None:
    made = await waiting()
    for _ in range(3):
        asyncio.get_running_loop().call_soon(made.wait.interrupt)
        await asyncio.sleep(0.001)
    made.future.set_result("done")
    assert (await made.task, made.interrupted, made.task.cancelling()) == ("done", 3, 0)


async def test_between_two_waits_nothing_is_interrupted() -> None:
    wait = Interruptible()
    wait.interrupt()
    await asyncio.sleep(0)
    assert not wait.was_interrupted()


async def test_a_cancellation_from_elsewhere_stays_one() -> None:
    made = await waiting()
    made.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await made.task
    assert made.interrupted == 0


@pytest.mark.parametrize("order", ["interrupt first", "cancel first"])
async def test_one_that_comes_with_an_interruption_is_not_lost(order: str) -> None:
    made = await waiting()
    both: list[Callable[[], object]] = [made.wait.interrupt, made.task.cancel]
    for do in both if order == "interrupt first" else reversed(both):
        do()
    with pytest.raises(asyncio.CancelledError):
        await made.task
    assert (made.interrupted, made.task.cancelling()) == (0, 1)


async def test_interrupting_twice_before_the_task_runs_is_once() -> None:
    made = await waiting()
    made.wait.interrupt()
    made.wait.interrupt()
    await asyncio.sleep(0.001)
    assert (made.interrupted, made.task.cancelling()) == (1, 0)
    made.future.set_result("done")
    await made.task


async def test_what_came_in_the_same_turn_of_the_loop_may_be_lost_but_not_the_task() -> None:
    made = await waiting()
    made.future.set_result("done")
    made.wait.interrupt()
    assert (await made.task, made.task.cancelling()) == ("done", 0)


async def test_a_cancellation_before_it_was_made_is_no_concern_of_it() -> None:
    async def run() -> bool:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.sleep(0)
        wait = Interruptible()
        wait.is_under_way = True
        asyncio.get_running_loop().call_soon(wait.interrupt)
        try:
            await asyncio.sleep(5)
        except asyncio.CancelledError:
            return wait.was_interrupted()
        return False

    assert await asyncio.create_task(run())
