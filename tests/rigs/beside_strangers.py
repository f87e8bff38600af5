"""One paying customer, alone and beside strangers, and what the API process holds then."""

import asyncio
import time
from typing import NamedTuple

import httpx

from tests.rigs.processes import api_processes, rss_kib
from tests.rigs.running import PYTHON, Gateway, spawn, stop

EVERY_S = 0.1
ASKED = {
    "model": "test/tokens",
    "max_tokens": 16,
    "messages": [{"role": "user", "content": "takes 0.02 s"}],
}


class Served(NamedTuple):
    """latencies_s: of each request, by when it was due. failed: statuses that are not 200."""

    latencies_s: list[float]
    failed: list[int]

    @property
    def p99_s(self) -> float:
        return sorted(self.latencies_s)[int(len(self.latencies_s) * 0.99)]


class Beside(NamedTuple):
    served: Served
    grown_kib: int


def alone(gateway: Gateway, key: str, for_s: float) -> Served:
    return asyncio.run(_ten_a_second(gateway.port, key, for_s))


def beside(gateway: Gateway, key: str, kind: str, for_s: float) -> Beside:
    """The customer's first request is sent half a second after the strangers begin."""
    (api,) = api_processes(gateway.supervisor.pid, 1)
    before = rss_kib(api)
    strangers = spawn(PYTHON, "-m", "tests.rigs.strangers", str(gateway.port), kind, str(for_s + 1))
    try:
        time.sleep(0.5)
        served = asyncio.run(_ten_a_second(gateway.port, key, for_s))
        return Beside(served, rss_kib(api) - before)
    finally:
        stop(strangers)


async def _ten_a_second(port: int, key: str, for_s: float) -> Served:
    """Open loop: each request is sent when it is due, whatever became of those before."""
    latencies: list[float] = []
    failed: list[int] = []
    headers = {"authorization": f"Bearer {key}"}

    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=60) as client:

        async def ask(due_s: float) -> None:
            await asyncio.sleep(max(0.0, due_s - time.monotonic()))
            answer = await client.post("/v1/chat/completions", json=ASKED)
            latencies.append(time.monotonic() - due_s)
            if answer.status_code != 200:
                failed.append(answer.status_code)

        began_s = time.monotonic()
        await asyncio.gather(*(ask(began_s + number * EVERY_S) for number in range(round(for_s / EVERY_S))))
    return Served(latencies, failed)
