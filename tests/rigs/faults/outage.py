"""A database that is out of reach, or refuses to write, for a while, under a gateway that works: what must hold."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from tests.rigs.faults.oracle import settled_books
from tests.rigs.faults.proxied_gateway import Proxied
from tests.rigs.installation.clients import Seen, ask_all
from tests.rigs.installation.installation import eventually
from tests.rigs.installation.log_facts import read_facts
from tests.rigs.processes import api_processes

AWAY_S = 5.0
LONGEST_WAIT_S = 30.0
"""What the settings promise is a third of it; the rest is for a machine that runs other tests."""

TOLD_WITHIN_S = 7.0
"""Who asks while the database is away: the patience of 1.5 s, and what such a machine needs."""

REQUESTS = 12
REFUSALS = {(503, "ledger_unavailable")}


class Clients:
    def __init__(self, house: Proxied, name: str) -> None:
        self._house = house
        self._key = house.gateway.account_with_key(name, usd="1000")[1]
        self._pool = ThreadPoolExecutor(8)
        self._waits: list[Future[tuple[float, list[Seen]]]] = []

    def come(self, name: str, takes_s: float = 0.0) -> Future[tuple[float, list[Seen]]]:
        markers = [f"{name} {n} takes {takes_s} s" for n in range(REQUESTS)]
        waiting = self._pool.submit(self._ask, markers)
        self._waits.append(waiting)
        return waiting

    def _ask(self, markers: list[str]) -> tuple[float, list[Seen]]:
        began_s = time.monotonic()
        seen = asyncio.run(ask_all(self._house.gateway.port, self._key, "test/tokens", markers))
        return time.monotonic() - began_s, seen

    def all_seen(self) -> list[Seen]:
        """What each saw; nobody waited for longer than promised."""
        results = [wait.result() for wait in self._waits]
        assert max(waited_s for waited_s, _ in results) < LONGEST_WAIT_S
        return [s for _, seen in results for s in seen]


def survive(
    house: Proxied,
    name: str,
    leave: Callable[[], object],
    come_back: Callable[[], object],
    meanwhile: Callable[[], object] = lambda: None,
) -> None:
    """Requests are under way when the database leaves; others come at once, and later, and after its return.

    Who comes while it is away is told so then, also once keys are no longer trusted from memory: nobody waits for it.
    """
    clients = Clients(house, name)
    processes = api_processes(house.gateway.supervisor.pid, 1)
    before = len(read_facts(house.dsn).reserved)
    clients.come(f"{name} under way", takes_s=2)
    eventually(lambda: len(read_facts(house.dsn).reserved) == before + REQUESTS)
    leave()
    at_once = clients.come(f"{name} at once")
    time.sleep(AWAY_S / 2)
    in_the_midst = clients.come(f"{name} in the midst")
    meanwhile()
    time.sleep(AWAY_S / 2)
    told = [waiting.result(LONGEST_WAIT_S) for waiting in (at_once, in_the_midst)]
    come_back()
    assert max(waited_s for waited_s, _ in told) < TOLD_WITHIN_S
    assert {(s.status, s.error_code) for _, seen in told for s in seen} == REFUSALS
    clients.come(f"{name} afterwards")
    seen = clients.all_seen()
    assert {(s.status, s.error_code) for s in seen if not s.whole} <= REFUSALS
    assert all(s.whole for s in seen if " under way " in s.marker), "reserved before, settled after"
    eventually(lambda: asks_in_vain(house, name) == 0)
    assert api_processes(house.gateway.supervisor.pid, 1) == processes, "recovered without a restart"
    settled_books(house.gateway, house.dsn, house.provider, seen)


def asks_in_vain(house: Proxied, name: str) -> int:
    """How many of a few new clients, of a new account, are not answered."""
    again = f"{name}-{time.monotonic_ns()}"
    clients = Clients(house, again)
    clients.come(again)
    return sum(not s.whole for s in clients.all_seen())
