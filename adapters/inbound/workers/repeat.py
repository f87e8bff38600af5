"""Repeats a task until it is stopped."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

log = structlog.get_logger()


async def repeat(
    work: Callable[[], Awaitable[object]],
    every_s: float,
    stop: asyncio.Event,
    *,
    passing: tuple[type[Exception], ...],
) -> None:
    """Wait `every_s`, then run `work`, until `stop` is set; a running turn is finished.

    passing: temporary failures, such as an unreachable database: they are logged, and the next turn tries again.
             Any other failure ends the loop: an error about money must not only be logged.
    """
    while not await _is_set_within(stop, every_s):
        try:
            await work()
        except passing as failure:
            log.warning("turn failed, trying again", work=_name(work), error=f"{type(failure).__name__}: {failure}")


async def _is_set_within(stop: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            return await stop.wait()
    except TimeoutError:
        return False


def _name(work: object) -> str:
    return getattr(work, "__name__", type(work).__name__)
