"""P8: at four fifths of what it can do, the gateway goes on for as long as it is asked to, and nothing piles up."""

import json
import os
import statistics
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

import pytest

from tests.benchmarks.bare_relay import upstream
from tests.benchmarks.many_accounts import open_accounts
from tests.benchmarks.scrape import bound_of, scrape
from tests.rigs.load import Load, arrive, drive, post
from tests.rigs.processes import api_processes, projector_process, rss_kib
from tests.rigs.running import Gateway, gateway

DURATION_S = float(os.environ.get("SOAK_S", "600"))
ACCOUNTS = 500
AT_CAPACITY = 32
CONNECTIONS = 128
"""At most under way at a time; a request that finds none free waits, and its latency counts that."""

SHARE_OF_CAPACITY = 0.8
SAMPLE_EVERY_S = 2.0
WARM_SHARE = 4
"""The first quarter fills caches and pools; memory is compared after it."""

MAX_GROWTH_KIB = 5 * 1024


class Sample(NamedTuple):
    api_kib: int
    projector_kib: int
    open_reservations: float
    queued: float


def mixed_requests(gw: Gateway) -> list[bytes]:
    """One stream among ten requests, over all accounts."""
    body = {"model": "test/tokens", "messages": [{"role": "user", "content": "Go on."}], "max_tokens": 100}
    keys = open_accounts(gw, ACCOUNTS)
    return [post("/v1/chat/completions", {**body, "stream": n % 10 == 0}, key) for n, key in enumerate(keys)]


@contextmanager
def sampling(gw: Gateway) -> Iterator[list[Sample]]:
    (api,), projector = api_processes(gw.supervisor.pid, 1), projector_process(gw.supervisor.pid)
    samples, stop = list[Sample](), threading.Event()

    def sample() -> None:
        while not stop.wait(SAMPLE_EVERY_S):
            told = scrape(gw.port)
            queued = told["gatewayz_append_queue_depth"]
            samples.append(Sample(rss_kib(api), rss_kib(projector), told["gatewayz_open_reservations"], queued))

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield samples
    finally:
        stop.set()
        thread.join()


def test_p8_constant_load_leaves_nothing_behind(capsys: pytest.CaptureFixture[str]) -> None:
    with upstream() as url, gateway(url) as gw:
        requests = mixed_requests(gw)
        drive(gw.port, requests, 2_000, AT_CAPACITY)
        capacity = drive(gw.port, requests, 8_000, AT_CAPACITY).rps
        before = scrape(gw.port)
        with sampling(gw) as samples:
            load = arrive(gw.port, requests, SHARE_OF_CAPACITY * capacity, DURATION_S, CONNECTIONS)
        after = settled_down(gw)
        left = after["gatewayz_open_reservations"], after["gatewayz_append_queue_depth"]
        lag_s = bound_of(0.99, "gatewayz_projection_seconds", before, after)
        verified = gw.command("verify", "--json")
    with capsys.disabled():
        report(capacity, load, lag_s, samples)
    assert (load.errors, load.dropped) == (0, 0)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert json.loads(verified.stdout)["findings"] == []
    early, late = halves(samples[len(samples) // WARM_SHARE :])
    assert growth(early, late, "api_kib") < MAX_GROWTH_KIB
    assert growth(early, late, "projector_kib") < MAX_GROWTH_KIB
    assert max(sample.open_reservations for sample in samples) <= CONNECTIONS, "more than are under way"
    assert left == (0, 0), "reservations and commands that nobody waits for"


def settled_down(gw: Gateway) -> Mapping[str, float]:
    """The metrics once their sample of the database is newer than the last answer."""
    time.sleep(SAMPLE_EVERY_S)
    return scrape(gw.port)


def halves(samples: list[Sample]) -> tuple[list[Sample], list[Sample]]:
    middle = len(samples) // 2
    return samples[:middle], samples[middle:]


def growth(early: list[Sample], late: list[Sample], field: str) -> float:
    before, after = (statistics.median(getattr(sample, field) for sample in half) for half in (early, late))
    return float(after - before)


def report(capacity: float, load: Load, lag_s: float, samples: list[Sample]) -> None:
    ms = {p: load.percentile(p) * 1_000 for p in (0.5, 0.95, 0.99)}
    print(f"\n  capacity {capacity:.0f} rps; {load.rps:.0f} rps for {load.seconds:.0f} s, open loop")
    print(f"    {load.requests:,} answered, {load.errors} errors, {load.dropped} dropped")
    print(f"    p50 {ms[0.5]:.1f} ms, p95 {ms[0.95]:.1f} ms, p99 {ms[0.99]:.1f} ms; projection lag p99 <= {lag_s} s")
    for name, sample in (("first", samples[0]), ("middle", samples[len(samples) // 2]), ("last", samples[-1])):
        print(f"    {name:8}{sample}")
