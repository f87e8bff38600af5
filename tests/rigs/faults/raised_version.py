"""Raising the version of read models under load: an installation is upgraded, and its projector killed while the new
builds catch up."""

import json
import os
import random
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event
from typing import NamedTuple

import psycopg

from adapters.outbound.postgres.setup.migrate import migrate
from tests.benchmarks.bulk_log import make_log
from tests.benchmarks.scrape import bound_of, scrape
from tests.rigs.faults.oracle import wait_for_ends
from tests.rigs.installation.installation import eventually
from tests.rigs.load import Load, arrive, post
from tests.rigs.next_release import next_release
from tests.rigs.processes import projector_process
from tests.rigs.providers.provider_process import own_provider
from tests.rigs.running import Gateway, gateway, start_again, stop

RAISED = ("api_key", "available_credit", "generation")
WORKERS = 2
KILLS = 3
SLICE_S = 2.0
CONNECTIONS = 64
SWITCHED_WITHIN_S = 240.0
AFTERWARDS_S = 3.0
"""Of load on the new builds."""


class Outcome(NamedTuple):
    """loads: one for each slice; lag_s: upper bound of the 99th percentile of the lag of the builds in use."""

    loads: Sequence[Load]
    lag_s: float
    report: Mapping[str, object]

    def __str__(self) -> str:
        slowest_ms = max(load.percentile(1.0) for load in self.loads) * 1_000
        answered = sum(load.requests for load in self.loads)
        failed, unsent = sum(load.errors for load in self.loads), sum(load.dropped for load in self.loads)
        counts = f"{answered} answered, {failed} failed, {unsent} not sent, slowest {slowest_ms:.0f} ms"
        return f"{counts}, projection lag p99 <= {self.lag_s} s"


def raise_under_load(dsn: str, folder: Path, seed: int, events: int, rate_per_s: float, kills: int = KILLS) -> Outcome:
    """dsn: of an empty database; events: of the log that the new builds have to catch up with."""
    dice = random.Random(seed)
    moments = sorted(dice.random() for _ in range(kills))
    print(f"seed {seed}: {events} events, kills at {', '.join(f'{moment:.0%}' for moment in moments)} of catching up")
    migrate(dsn)
    make_log(dsn, events, accounts=200)
    tree = next_release(folder, RAISED)
    with ExitStack() as stack:
        provider = stack.enter_context(own_provider(seed))
        before = stack.enter_context(gateway(provider.url, workers=WORKERS, DATABASE_URL=dsn))
        requests = mixed_requests(before)
        old = active(dsn)
        stop(before.supervisor)
        raised = stack.enter_context(start_again(before, tree))
        load = stack.enter_context(under_load(raised, requests, rate_per_s))
        eventually(lambda: min(built(dsn).values(), default=0.0) > 0.0, SWITCHED_WITHIN_S)
        told = scrape(raised.port)
        for moment in moments:
            kill_projector(raised, dsn, moment)
        eventually(lambda: active(dsn) == {**old, **{name: old[name] + 1 for name in RAISED}}, SWITCHED_WITHIN_S)
        time.sleep(AFTERWARDS_S)
        loads = load()
        lag_s = bound_of(0.99, "gatewayz_projection_seconds", told, scrape(raised.port))
        wait_for_ends(dsn)
        verified = raised.command("verify", "--json")
        report = json.loads(verified.stdout)
        unsound = [one for one in report["findings"] if one["check"] not in ("claims", "data_keys")]
        assert not unsound, verified.stdout + verified.stderr  # the synthetic log has neither claims nor data keys
        return Outcome(loads, lag_s, report)


def mixed_requests(gw: Gateway) -> list[bytes]:
    """Generations, streamed and not, and one of every question to the read models that were raised."""
    account, key = gw.account_with_key("raised", usd="1000")
    ask = {"model": "test/tokens", "messages": [{"role": "user", "content": "takes 0.05 s"}], "max_tokens": 50}
    first = gw.call("/v1/chat/completions", ask, key)
    return [
        *(post("/v1/chat/completions", {**ask, "stream": n % 2 == 0}, key) for n in range(6)),
        get("/v1/credits", key),
        get("/v1/key", key),
        get(f"/v1/generation?id={first['id']}", key),
        get(f"/admin/accounts/{account}/statement", gw.admin_key),
    ]


def get(path: str, key: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n\r\n".encode()


@contextmanager
def under_load(gw: Gateway, requests: Sequence[bytes], rate_per_s: float) -> Iterator[Callable[[], Sequence[Load]]]:
    """Open loop, slice after slice; what it yields ends the load and returns what came of each slice."""
    end = Event()

    def go_on() -> list[Load]:
        loads = []
        while not end.is_set():
            loads.append(arrive(gw.port, requests, rate_per_s, SLICE_S, CONNECTIONS))
        return loads

    with ThreadPoolExecutor(1) as pool:
        running: Future[list[Load]] = pool.submit(go_on)

        def ended() -> list[Load]:
            end.set()
            return running.result()

        try:
            yield ended
        finally:
            end.set()


def kill_projector(gw: Gateway, dsn: str, moment: float) -> None:
    """kill -9 once the new build that is furthest behind has caught up with that share of the log."""

    def share() -> float:
        return min(built(dsn).values(), default=0.0)

    eventually(lambda: share() >= moment, SWITCHED_WITHIN_S, every_s=0.005)
    victim = eventually(lambda: projectors(gw), 30)[0]
    os.kill(victim, signal.SIGKILL)
    reached = share()
    print(f"  killed the projector at {reached:.0%}; active {active(dsn)}", flush=True)
    eventually(lambda: share() > min(reached, 0.99), SWITCHED_WITHIN_S)


def projectors(gw: Gateway) -> list[int]:
    try:
        return [projector_process(gw.supervisor.pid)]
    except ValueError:
        return []


def active(dsn: str) -> dict[str, int]:
    with psycopg.connect(dsn) as connection:
        return dict(connection.execute("SELECT projection, version FROM read.active").fetchall())


SHARES = """
SELECT p.projection, p.position::float8 / h.position
  FROM read.positions p, ledger.head h
 WHERE (p.projection, p.version) IN (SELECT projection, max(version) FROM read.positions GROUP BY 1)
   AND p.projection = ANY (%s)
"""


def built(dsn: str) -> dict[str, float]:
    """Of each raised read model, the share of the log that its newest build holds."""
    with psycopg.connect(dsn) as connection:
        return dict(connection.execute(SHARES, [list(RAISED)]).fetchall())
