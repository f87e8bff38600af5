"""Do something again and again until told to stop."""

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
    """A pause of `every_s`, then `work`, until `stop`; a turn under way is finished.

    passing: failures that the next turn may not meet, such as a database that is away: logged, and tried again.
             Any other ends the loop: nothing that concerns money is logged and forgotten.
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
