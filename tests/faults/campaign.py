"""A seeded campaign: load on a real installation, a process killed per cycle, then the books against all memories.

The oracle (P1, P3): what clients received whole, what the tests' own provider served, and the log read with plain SQL.
"""

import asyncio
import json
import os
import random
import signal
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Thread

from tests.e2e.clients import Seen, ask_all
from tests.e2e.log_facts import Facts, read_facts
from tests.running import PYTHON, SERVE, Gateway, free_port, gateway, process, spawn, stop, wait_until_ready

REQUESTS_PER_CYCLE = 160
PARALLEL = 24
DEADLINE_S, GRACE_S = 6, 2
"""Shortened, so that what a kill left open ends within the test."""

Kill = Callable[["Campaign"], None]


class Campaign:
    def __init__(self, seed: int, started: Gateway, provider: str) -> None:
        self.dice = random.Random(seed)
        self.gateway = started
        self.provider = provider
        self.account, self.key = started.account_with_key(f"campaign-{seed}", usd="1000")
        self.seen: list[Seen] = []
        self.cycle = 0

    def run_cycle(self, kind: str) -> int:
        """Load, one kill at a random moment in it, recovery; returns how many clients were answered whole."""
        self.cycle += 1
        markers = [f"cycle {self.cycle} request {n}" for n in range(REQUESTS_PER_CYCLE)]
        arrived: list[Seen] = []
        load = Thread(target=lambda: arrived.extend(self._load(markers)))
        load.start()
        time.sleep(self.dice.uniform(0.1, 0.8))
        KILLS[kind](self)
        load.join()
        wait_until_ready(self.gateway.port)
        self.seen += arrived
        return sum(s.whole for s in arrived)

    def _load(self, markers: list[str]) -> list[Seen]:
        """In waves: a client that meets a closed port gives up, and there must be load after the recovery too."""
        seen: list[Seen] = []
        for at in range(0, len(markers), PARALLEL):
            seen += asyncio.run(ask_all(self.gateway.port, self.key, "test/tokens", markers[at : at + PARALLEL]))
            if any(s.status == 0 for s in seen[-PARALLEL:]):
                wait_until_ready(self.gateway.port)
        return seen

    def child(self, word: str) -> int:
        """Pid of a child of the supervisor whose command line has `word`; a random one of several."""
        found = [pid for pid, line in children_of(self.gateway.supervisor.pid) if word in line]
        assert found, f"no {word} under the supervisor"
        return self.dice.choice(found)

    def wait_for_ends(self) -> Facts:
        """Until every reservation has ended: deadline, grace and a turn of the expiry loop later at the latest."""
        deadline = time.monotonic() + DEADLINE_S + GRACE_S + 30
        while True:
            facts = read_facts(self.gateway.dsn())
            if facts.reserved == facts.ends.keys():
                return facts
            assert time.monotonic() < deadline, f"never ended: {sorted(facts.reserved - facts.ends.keys())[:5]}"
            time.sleep(0.3)

    def check(self) -> None:
        """Received whole <= settled <= served, each once, at the cost that the client was told; the books are whole."""
        facts = self.wait_for_ends()
        doubled = {r: ends for r, ends in facts.ends.items() if len(ends) != 1}
        assert not doubled, f"reservations that ended more than once: {doubled}"
        for s in self.seen:
            if s.whole:
                assert s.generation_id is not None
                reservation = s.generation_id.removeprefix("gen-")
                assert facts.settled.get(reservation) == s.cost_nusd, f"{s}: {facts.settled.get(reservation)} settled"
        served = sum(len(pairs) for pairs in self.served().values())
        received = sum(s.whole for s in self.seen)
        assert received <= len(facts.settled), (received, len(facts.settled))
        assert facts.lowest_available[f"credit-{self.account}"] == 0, "available was negative"
        self.check_read_models()
        print(f"  whole {received}, settled {len(facts.settled)}, served {served}, reserved {len(facts.reserved)}")

    def check_read_models(self) -> None:
        result = self.gateway.command("verify")
        assert result.returncode == 0, result.stdout + result.stderr

    def served(self) -> dict[str, list[list[int]]]:
        with urllib.request.urlopen(f"{self.provider}/_served") as answer:
            return dict(json.load(answer))


def kill_api(campaign: Campaign) -> None:
    os.kill(campaign.child(" api"), signal.SIGKILL)


def kill_projector(campaign: Campaign) -> None:
    os.kill(campaign.child(" projector"), signal.SIGKILL)


def kill_postgres(campaign: Campaign) -> None:
    os.kill(campaign.child("postgres"), signal.SIGKILL)


def kill_backend(campaign: Campaign) -> None:
    """A server process of PostgreSQL: the postmaster restarts all of them."""
    backends = [pid for pid, line in children_of(campaign.child("postgres")) if "writer" in line]
    os.kill(campaign.dice.choice(backends), signal.SIGKILL)


def kill_supervisor(campaign: Campaign) -> None:
    """Everything dies with it; then it is started again on the same home."""
    os.kill(campaign.gateway.supervisor.pid, signal.SIGKILL)
    campaign.gateway.supervisor.wait()
    supervisor = spawn(*SERVE, **campaign.gateway.environment)
    campaign.gateway = campaign.gateway._replace(supervisor=supervisor)


KILLS: dict[str, Kill] = {
    "api": kill_api,
    "projector": kill_projector,
    "postgres": kill_postgres,
    "backend": kill_backend,
    "supervisor": kill_supervisor,
}


@contextmanager
def campaign(seed: int) -> Iterator[Campaign]:
    """An installation with two API processes, selling the tests' own provider."""
    print(f"seed {seed}")
    with ExitStack() as stack:
        port = free_port()
        stack.enter_context(process(PYTHON, "-m", "tests.own_provider", str(port), str(seed), port=port))
        started = stack.enter_context(
            gateway(
                f"http://127.0.0.1:{port}/v1",
                workers=2,
                GATEWAYZ_REQUEST_DEADLINE_S=str(DEADLINE_S),
                GATEWAYZ_STREAM_DEADLINE_S=str(DEADLINE_S),
                GATEWAYZ_RESERVATION_GRACE_S=str(GRACE_S),
            )
        )
        running = Campaign(seed, started, f"http://127.0.0.1:{port}")
        stack.callback(lambda: stop(running.gateway.supervisor))
        yield running


def children_of(parent: int) -> list[tuple[int, str]]:
    """(pid, command line) of each direct child, from /proc."""
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            ppid = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if ppid == parent:
            found.append((int(folder.name), line))
    return found
