"""uvicorn without its ten ticks a second, for every server of ours: an idle process sleeps."""

import asyncio
import time
from collections.abc import Callable, Iterator
from email.utils import formatdate
from functools import partial
from typing import Any

import uvicorn

Header = tuple[bytes, bytes]


class RestingServer(uvicorn.Server):
    """Sleeps until `should_exit` is set, which any thread and any signal handler may do.

    What else a tick of uvicorn's does is left out: it has no limit_max_requests and no callback_notify.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        self._should_exit = False
        self._wake: Callable[[], object] = lambda: None
        super().__init__(config)

    @property
    def should_exit(self) -> bool:
        return self._should_exit

    @should_exit.setter
    def should_exit(self, is_set: bool) -> None:
        self._should_exit = is_set
        self._wake()

    async def main_loop(self) -> None:
        self.server_state.default_headers = DatedHeaders(self.config.encoded_headers)
        woken = asyncio.Event()
        self._wake = partial(asyncio.get_running_loop().call_soon_threadsafe, woken.set)
        if not self.should_exit:  # it may have been set before there was anything to wake
            await woken.wait()
        self._wake = lambda: None


class DatedHeaders(list[Header]):
    """Headers of every response, behind a Date of the second in which they are read. uvicorn reads them by `+` and
    by iteration, when it writes the head."""

    def __init__(self, undated: list[Header]) -> None:
        super().__init__(undated)
        self._undated = undated
        self._second = -1
        self._dated: list[Header] = []

    def __iter__(self) -> Iterator[Header]:
        return iter(self._read())

    def __add__(self, more: list[Any]) -> list[Any]:
        return self._read() + more

    def _read(self) -> list[Header]:
        second = int(time.time())
        if second != self._second:
            self._second = second
            self._dated = [(b"date", formatdate(second, usegmt=True).encode()), *self._undated]
        return self._dated
