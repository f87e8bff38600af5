"""Clients that ask again and again while something happens to the gateway, and what they met."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from threading import Event, Thread

from tests.rigs.installation.clients import Seen, ask_all
from tests.rigs.providers.provider_process import ProviderProcess, own_provider
from tests.rigs.running import Gateway, gateway

PARALLEL = 16


class Waves:
    """Clients that ask in waves until told to end."""

    def __init__(self, house: Gateway, key: str, name: str) -> None:
        self.seen: list[Seen] = []
        self._end = Event()
        self._ask = (house.port, key, name)
        self._thread = Thread(target=self._run)

    def _run(self) -> None:
        port, key, name = self._ask
        while not self._end.is_set():
            markers = [f"{name} {len(self.seen) + n}" for n in range(PARALLEL)]
            wave = asyncio.run(ask_all(port, key, "test/tokens", markers))
            self.seen += wave
            if any(s.status == 0 for s in wave):
                time.sleep(0.1)  # nobody is there: asking in a busy loop would only keep the machine from the start

    def __enter__(self) -> "Waves":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()


def outcomes(seen: Sequence[Seen]) -> Counter[tuple[int, str | None]]:
    """Of those who were not answered whole: (status, error code), or (0, what httpx calls the failure)."""
    return Counter((s.status, s.error_code) for s in seen if not s.whole)


@contextmanager
def two_processes(seed: int) -> Iterator[tuple[Gateway, ProviderProcess]]:
    print(f"seed {seed}")
    with ExitStack() as stack:
        provider = stack.enter_context(own_provider(seed))
        yield stack.enter_context(gateway(provider.url, workers=2)), provider
