"""A seeded campaign: load on a real installation, a process killed per cycle, then the books against all memories."""

import asyncio
import os
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from threading import Event, Thread
from typing import NamedTuple

from tests.rigs.faults.oracle import settled_books
from tests.rigs.faults.victims import VICTIMS, WORKERS, signal_for
from tests.rigs.installation.clients import Seen, ask_all
from tests.rigs.providers.provider_process import ProviderProcess, own_provider
from tests.rigs.running import SERVE, Gateway, gateway, spawn, stop, wait_until_ready

PARALLEL = 24
WHOLE_PER_CYCLE = 50
INSIDE_AT_KILL = 6
"""Requests that the provider is answering when the kill is aimed: some of them are still there when it hits."""

DEADLINE_S, GRACE_S = 4, 1
"""Shortened, so that what a kill left open ends within the test."""

CYCLE_S = 90.0
KILLS = 3
"""Of each kind that must fall between a reserve and its settle; tests/soak asks for more."""

HIT_S = 0.002
"""Within this a SIGKILL has taken effect: who was between reserve and settle before and after was hit there."""


class Moment(NamedTuple):
    """One instant on the clock of the provider and on that of the database."""

    monotonic_s: float
    utc_s: float


class Campaign:
    """hits: kills of each kind that fell between the reserve and the settle of some request."""

    def __init__(self, seed: int, started: Gateway, provider: ProviderProcess) -> None:
        self.dice = random.Random(seed)
        self.gateway = started
        self.provider = provider
        self.account, self.key = started.account_with_key(f"campaign-{seed}", usd="1000")
        self.seen: list[Seen] = []
        self.cycle = 0
        self.hits: Counter[str] = Counter()

    def run_cycle(self, kind: str) -> None:
        """Load, one kill at a random moment in it, recovery, books."""
        self.cycle += 1
        arrived: list[Seen] = []
        killed = Event()
        load = Thread(target=self._load, args=(arrived, killed))
        load.start()
        try:
            moment = self._kill(kind)
        finally:
            killed.set()
            load.join()
        self.seen += arrived
        wait_until_ready(self.gateway.port)
        self._check(kind, moment)

    def _kill(self, kind: str) -> Moment:
        time.sleep(self.dice.uniform(0.1, 0.8))
        supervisor = self.gateway.supervisor
        victim = VICTIMS[kind](supervisor.pid, self.dice)
        deadline_s = time.monotonic() + CYCLE_S
        while self.provider.inside() < INSIDE_AT_KILL:
            assert time.monotonic() < deadline_s, "the load does not reach the provider"
        moment = Moment(time.monotonic(), time.time())
        os.kill(victim, signal_for(kind))
        if victim == supervisor.pid:
            supervisor.wait()
            self.gateway = self.gateway._replace(supervisor=spawn(*SERVE, **self.gateway.environment))
        return moment

    def _load(self, arrived: list[Seen], killed: Event) -> None:
        """In waves, until enough answers came and one whole wave after the kill: the recovery serves again."""
        deadline_s = time.monotonic() + CYCLE_S
        recovered = False
        while not (recovered and sum(s.whole for s in arrived) >= WHOLE_PER_CYCLE):
            assert time.monotonic() < deadline_s, f"only {sum(s.whole for s in arrived)} whole answers"
            is_after = killed.is_set()
            markers = [f"cycle {self.cycle} request {len(arrived) + n}" for n in range(PARALLEL)]
            wave = asyncio.run(ask_all(self.gateway.port, self.key, "test/tokens", markers))
            arrived += wave
            recovered = recovered or (is_after and all(s.whole for s in wave))
            if any(s.status == 0 for s in wave):  # nobody listened: wait, rather than fail in a busy loop
                wait_until_ready(self.gateway.port)

    def _check(self, kind: str, killed: Moment) -> None:
        """Whether the kill hit is told by two: the provider, which had the request, and the log, where it was open."""
        facts = settled_books(self.gateway, self.gateway.dsn(), self.provider, self.seen)
        inside = self.provider.inside_throughout(killed.monotonic_s, killed.monotonic_s + HIT_S)
        was_open = facts.open_throughout(killed.utc_s, killed.utc_s + HIT_S)
        self.hits[kind] += bool(inside and was_open)
        print(
            f"cycle {self.cycle}: killed {kind} with {inside} in the provider, {was_open} reservations open", flush=True
        )


@contextmanager
def campaign(seed: int) -> Iterator[Campaign]:
    """An installation with two API processes, selling the tests' own provider."""
    print(f"seed {seed}")
    with ExitStack() as stack:
        provider = stack.enter_context(own_provider(seed))
        started = stack.enter_context(
            gateway(
                provider.url,
                workers=WORKERS,
                GATEWAYZ_REQUEST_DEADLINE_S=str(DEADLINE_S),
                GATEWAYZ_STREAM_DEADLINE_S=str(DEADLINE_S),
                GATEWAYZ_RESERVATION_GRACE_S=str(GRACE_S),
            )
        )
        running = Campaign(seed, started, provider)
        stack.callback(lambda: stop(running.gateway.supervisor))
        yield running


def run(running: Campaign, kinds: Sequence[str], kills: int = KILLS) -> None:
    """Cycles in an order drawn from the seed, until each kind has hit `kills` times.

    A kill that missed is repeated, at most `kills` times, so that the result does not depend on the machine's speed.
    """
    cycles = list(kinds) * kills
    running.dice.shuffle(cycles)
    for kind in cycles:
        running.run_cycle(kind)
    for kind in kinds:
        for _ in range(kills):
            if running.hits[kind] >= kills:
                break
            running.run_cycle(kind)
    assert all(running.hits[kind] >= kills for kind in kinds), f"too few kills hit: {running.hits}"
