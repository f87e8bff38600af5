"""What an API process weighs, and whether that grows with requests: 100,000 of them over 10,000 accounts."""

import os
import random
from functools import partial

from tests.benchmarks.bare_relay import upstream
from tests.benchmarks.books import check_books
from tests.benchmarks.cpu import LAST_PAGE_S, of_gateway, turn, written
from tests.benchmarks.many_accounts import open_accounts
from tests.benchmarks.scrape import bound_of, scrape
from tests.rigs.load import post
from tests.rigs.processes import api_processes, projector_process, rss_kib
from tests.rigs.running import gateway

ACCOUNTS = int(os.environ.get("ACCOUNTS", "10000"))
REQUESTS = int(os.environ.get("REQUESTS", "100000"))
WARM_SHARE = 5  # of which the first fifth fills caches
CONNECTIONS = 32
MESSAGES = [{"role": "user", "content": "Write fifty words about ledgers."}]


def run() -> None:
    """ACCOUNTS=, REQUESTS= in the environment for other sizes."""
    with upstream() as url, gateway(url) as gw:
        keys = open_accounts(gw, ACCOUNTS)
        body = {"model": "test/tokens", "messages": MESSAGES, "max_tokens": 100}
        requests = [post("/v1/chat/completions", body, key) for key in keys]
        random.Random(1).shuffle(requests)
        (api,), projector = api_processes(gw.supervisor.pid, 1), projector_process(gw.supervisor.pid)
        read = partial(of_gateway, gw.supervisor.pid)
        first, _ = turn(gw.port, requests, REQUESTS // WARM_SHARE, CONNECTIONS, read)
        warm, before = rss_kib(api), scrape(gw.port)
        rest, cpu_us = turn(gw.port, requests, REQUESTS - REQUESTS // WARM_SHARE, CONNECTIONS, read, LAST_PAGE_S)
        after = scrape(gw.port)
        print(f"  {REQUESTS:,} requests over {ACCOUNTS:,} accounts, {CONNECTIONS} connections:")
        print(
            f"    {first.rps:.0f} rps in the first fifth, {rest.rps:.0f} rps after; {first.errors + rest.errors} errors"
        )
        print(f"    CPU us a request after the first fifth: {written(cpu_us)}")
        print(f"    API process {warm / 1024:.1f} MB after a fifth, {rss_kib(api) / 1024:.1f} MB at the end")
        print(f"    projector {rss_kib(projector) / 1024:.1f} MB")
        check_books(gw, REQUESTS)
        lag_s = bound_of(0.99, "gatewayz_projection_seconds", before, after)
        print(f"    projection lag p99 <= {lag_s * 1_000:.0f} ms (per event, its commit - recorded_at)")
