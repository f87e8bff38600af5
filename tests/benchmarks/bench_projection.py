"""Projecting and verifying a long log: events per second with every read model, by the clock and by the processors."""

import os
import time
from collections.abc import Callable

from adapters.outbound.postgres.builds.project_log import Projector
from adapters.outbound.postgres.verify.examine_ledger import pinned_evidence
from application.audit.verify_ledger import Report, verify_ledger
from tests.benchmarks.bench_append import fresh
from tests.benchmarks.bulk_log import make_log
from tests.rigs.databases import TestServer

EVENTS = int(os.environ.get("EVENTS", "200000"))
ACCOUNTS = 1_000
CATCH_UP_PAGE = 5_000
"""Events per transaction of a projector that nobody reads from yet."""


def run() -> None:
    """EVENTS=1000000 in the environment for the full size."""
    server = TestServer()
    try:
        with fresh(server) as database:
            timed("made", lambda: make_log(database.owner, EVENTS, ACCOUNTS))
            timed("projected", Projector(database.projector, page_size=CATCH_UP_PAGE).catch_up)
            for _ in range(3):
                timed("verified", lambda: verified(database.auditor))
    finally:
        server.stop()


def verified(info: str) -> int:
    """Every event and every row of every read model; how long the projector took is no lag here."""
    with pinned_evidence(info) as evidence:
        report: Report = verify_ledger(evidence, max_lag_s=3_600)
    assert report.is_clean, report
    assert all(model.position == report.state.head for model in report.state.read_models)
    return report.state.head


def timed(what: str, do: Callable[[], int]) -> None:
    """`do` returns how many events it did. Processor seconds are ours and those of processes that ended meanwhile."""
    started_s, cpu = time.perf_counter(), os.times()
    events = do()
    seconds, ended = time.perf_counter() - started_s, os.times()
    cpu_s = sum(ended[:4]) - sum(cpu[:4])
    print(f"  {what:10} {events:10,} events  {events / seconds:8,.0f}/s  {cpu_s / events * 1e6:5.1f} us of Python each")
