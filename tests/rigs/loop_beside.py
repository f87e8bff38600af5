"""An event loop on a thread of its own: servers of the tests go on while the test waits for something else."""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any, TypeVar

T = TypeVar("T")

ANSWERS_WITHIN_S = 30.0


class LoopBeside:
    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Its result, once it is done there. Raises what it raised, or TimeoutError after half a minute."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(ANSWERS_WITHIN_S)


@contextmanager
def loop_beside() -> Iterator[LoopBeside]:
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever)
    thread.start()
    try:
        yield LoopBeside(loop)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
