"""A fault proxy on a thread of its own: it passes bytes on while the test waits for something else."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import TypeVar

from tests.faults.fault_proxy import FaultProxy

T = TypeVar("T")

ANSWERS_WITHIN_S = 30.0


class ProxyBeside:
    def __init__(self, proxy: FaultProxy, loop: asyncio.AbstractEventLoop) -> None:
        self._proxy = proxy
        self._loop = loop

    @property
    def port(self) -> int:
        return self._proxy.port

    @property
    def swallowed(self) -> int:
        return self._proxy.swallowed

    def stand_still(self) -> None:
        self._do(lambda proxy: proxy.stand_still())

    def resume(self) -> None:
        self._do(lambda proxy: proxy.resume())

    def cut(self) -> None:
        self._do(lambda proxy: proxy.cut())

    def set(self, **attributes: object) -> None:
        """Of FaultProxy, such as `swallow=b"..."`."""
        self._do(lambda proxy: vars(proxy).update(attributes))

    @property
    def has_kept(self) -> bool:
        return self._proxy.kept.is_set()

    def _do(self, work: Callable[[FaultProxy], T]) -> T:
        async def done() -> T:
            return work(self._proxy)

        return asyncio.run_coroutine_threadsafe(done(), self._loop).result(ANSWERS_WITHIN_S)


@contextmanager
def proxy_beside(host: str, port: int) -> Iterator[ProxyBeside]:
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever)
    thread.start()
    proxy = FaultProxy(host, port)
    try:
        asyncio.run_coroutine_threadsafe(proxy.start(), loop).result(ANSWERS_WITHIN_S)
        yield ProxyBeside(proxy, loop)
        asyncio.run_coroutine_threadsafe(proxy.stop(), loop).result(ANSWERS_WITHIN_S)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
