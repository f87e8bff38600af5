"""The database is sampled for /metrics: each second while somebody scrapes, seldom otherwise."""

import asyncio

import pytest

from adapters.outbound.telemetry.metrics import Metrics
from adapters.wiring.compose import readiness
from adapters.wiring.compose.readiness import sample_database
from application.reads.credits import Credits


class CountingReads:
    def __init__(self) -> None:
        self.asked = 0

    async def of_account(self, account_id: str) -> Credits:
        raise AssertionError("not asked for")

    async def open_reservations(self) -> int:
        self.asked += 1
        return self.asked


async def no_lag(reader: object) -> float:
    return 0.0


async def test_it_is_sampled_often_only_while_somebody_scrapes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "projection_lag_s", no_lag)
    monkeypatch.setattr(readiness, "SAMPLE_EVERY_S", 0.01)
    monkeypatch.setattr(readiness, "SAMPLE_SELDOM_S", 0.3)
    reads, metrics = CountingReads(), Metrics()
    sampling = asyncio.create_task(sample_database(reads, object(), metrics))  # type: ignore[arg-type]
    await asyncio.sleep(0.4)
    assert 1 <= reads.asked <= 3
    text, _ = metrics.exposition()
    assert b"gatewayz_open_reservations" in text
    asked = reads.asked
    await asyncio.sleep(0.2)
    assert reads.asked > asked, "the scrape wakes it"
    await asyncio.sleep(0.4)
    assert reads.asked >= 10
    sampling.cancel()
    await asyncio.gather(sampling, return_exceptions=True)
