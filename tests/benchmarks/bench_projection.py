"""Projecting and verifying a long log: events per second with every read model."""

import os
import time

from adapters.outbound.postgres.examine_ledger import pinned_evidence
from adapters.outbound.postgres.project_log import Projector
from application.verify_ledger import verify_ledger
from tests.benchmarks.bench_append import fresh
from tests.benchmarks.bulk_log import make_log
from tests.databases import TestServer

EVENTS = int(os.environ.get("EVENTS", "200000"))
ACCOUNTS = 1_000


def run() -> None:
    """EVENTS=1000000 in the environment for the full size."""
    server = TestServer()
    try:
        with fresh(server) as database:
            started = time.perf_counter()
            make_log(database.writer, EVENTS, ACCOUNTS)
            made = time.perf_counter()
            reached = Projector(database.projector).catch_up()
            projected = time.perf_counter()
            with pinned_evidence(database.auditor) as evidence:
                report = verify_ledger(evidence)
            verified = time.perf_counter()
    finally:
        server.stop()
    assert report.is_clean, report
    print(f"  log of {reached:,} events over {ACCOUNTS:,} accounts")
    for what, seconds in (
        ("made", made - started),
        ("projected", projected - made),
        ("verified", verified - projected),
    ):
        print(f"    {what:10} {reached / seconds:10,.0f} events/s")
