"""A fault proxy on a thread of its own: it passes bytes on while the test waits for something else."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from psycopg.conninfo import conninfo_to_dict

from tests.rigs.faults.fault_proxy import FaultProxy
from tests.rigs.loop_beside import LoopBeside, loop_beside

T = TypeVar("T")


class ProxyBeside:
    def __init__(self, proxy: FaultProxy, loop: LoopBeside) -> None:
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

        return self._loop.do(done())


@contextmanager
def proxy_beside(host: str, port: int) -> Iterator[ProxyBeside]:
    with loop_beside() as loop:
        proxy = FaultProxy(host, port)
        loop.do(proxy.start())
        yield ProxyBeside(proxy, loop)
        loop.do(proxy.stop())


@contextmanager
def proxied_database(dsn: str) -> Iterator[tuple[ProxyBeside, str]]:
    """A proxy in front of a database, and the dsn that leads through it."""
    place = conninfo_to_dict(dsn)
    host, port = str(place["host"]), str(place["port"])
    with proxy_beside(host, int(port)) as proxy:
        yield proxy, dsn.replace(f"{host}:{port}", f"127.0.0.1:{proxy.port}")
