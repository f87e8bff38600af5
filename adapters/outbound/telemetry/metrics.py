"""Metrics for Prometheus, exact over several processes if PROMETHEUS_MULTIPROC_DIR names a folder that they share.

The library reads that variable on import: `serve` sets it for its children, `api` run alone has none.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

APPEND_SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
"""From a single append on a fast disk (0.5 ms) to the append's time-out."""

PROJECTION_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.5, 1.0, 5.0, 30.0)
"""Around the promise (0.25 s for 99 of 100), up to a projector that was down."""

APPEND_COMMANDS = (1, 2, 5, 10, 20, 50, 100, 200, 500)
"""Up to the largest batch."""


class Sample(NamedTuple):
    """Figures from the database; None while it cannot be reached."""

    open_reservations: int | None = None
    projection_lag_s: float | None = None


class Metrics:
    """The instruments of one process.

    sample:       the database's figures for the next scrape.
    scraped:      set by each scrape.
    queue_depth:  returns the commands waiting in the ledger; called after each append and every second.
    busy_streams: returns the streams that another session keeps locked; called every second.
    """

    def __init__(self, multiprocess_folder: Path | None = None) -> None:
        self.sample = Sample()
        self.scraped = asyncio.Event()
        self.queue_depth: Callable[[], int] = lambda: 0
        self.busy_streams: Callable[[], int] = lambda: 0
        self._folder = multiprocess_folder
        self._own = own = CollectorRegistry()
        counter, histogram = partial(Counter, registry=own), partial(Histogram, registry=own)
        self.requests = counter(
            "gatewayz_requests_total",
            "Requests that were charged, by how: settled, or estimated where the provider sent no usage.",
            ("model", "provider", "streamed", "outcome"),
        )
        self.charges = counter("gatewayz_charges_nusd_total", "Charged to customers, in nUSD (10^-9 USD).")
        self.refusals = counter("gatewayz_refusals_total", "Requests that were refused, by error code.", ("code",))
        self.provider_failures = counter(
            "gatewayz_provider_failures_total",
            "Calls of a provider that did not answer or broke off, by class.",
            ("provider", "error_class"),
        )
        self.shortfalls = counter(
            "gatewayz_shortfalls_nusd_total", "Charged beyond all credit, in nUSD: owed by customers."
        )
        self.owed_alarms = counter(
            "gatewayz_owed_alarms_total", "Accounts that came to owe more than GATEWAYZ_OWED_ALARM_USD."
        )
        self.append_queue = Gauge(
            "gatewayz_append_queue_depth",
            "Ledger commands waiting to be appended.",
            multiprocess_mode="livesum",
            registry=own,
        )
        self.locked_streams = Gauge(
            "gatewayz_locked_streams",
            "Streams that another session has kept locked for seconds; /ready names them.",
            multiprocess_mode="livemax",
            registry=own,
        )
        self.append_seconds = histogram(
            "gatewayz_append_seconds", "Duration of an append (group commit).", buckets=APPEND_SECONDS
        )
        self.append_commands = histogram(
            "gatewayz_append_commands", "Commands per append (group commit).", buckets=APPEND_COMMANDS
        )
        self.projection_seconds = histogram(
            "gatewayz_projection_seconds",
            "From an event's recording to the commit of its projection.",
            buckets=PROJECTION_SECONDS,
        )
        self.parked = counter(
            "gatewayz_parked_total", "Accounts that a read model had to leave behind.", ("projection",)
        )
        self.differing_builds = counter(
            "gatewayz_differing_builds_total",
            "New builds of a read model that differ from the active one and are not used.",
            ("projection",),
        )

    def projected(self, lags_ms: Sequence[int]) -> None:
        """One page of the projector; lags_ms: per event, its commit - recorded_at."""
        for lag_ms in lags_ms:
            self.projection_seconds.observe(lag_ms / 1_000)

    def appended(self, commands: int, seconds: float) -> None:
        """For PostgresLedger(on_append=...)."""
        self.append_commands.observe(commands)
        self.append_seconds.observe(seconds)
        self.note_queue()

    def note_queue(self) -> None:
        """Called also while no append succeeds, because the queue grows then."""
        self.append_queue.set(self.queue_depth())

    def note_busy_streams(self) -> None:
        self.locked_streams.set(self.busy_streams())

    def exposition(self) -> tuple[bytes, str]:
        """Prometheus text of all processes that share the folder, and its content type."""
        self.scraped.set()
        registry = self._own
        if self._folder is not None:
            registry = CollectorRegistry()
            registry.register(_OfAllProcesses(self._folder))
        sampled = CollectorRegistry()
        sampled.register(_Sampled(self.sample))
        return generate_latest(registry) + generate_latest(sampled), CONTENT_TYPE_PLAIN_0_0_4


class _OfAllProcesses(Collector):
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterable[Metric]:
        """A file is empty for a moment while its process starts; the library would fail to read its length."""
        files = [str(file) for file in self._folder.glob("*.db") if _size_of(file)]
        merged: Iterable[Metric] = MultiProcessCollector.merge(files)  # type: ignore[no-untyped-call]
        return merged


def _size_of(file: Path) -> int:
    """0 if it is gone: gauges of a process that ended are removed."""
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0


class _Sampled(Collector):
    def __init__(self, sample: Sample) -> None:
        self._sample = sample

    def collect(self) -> Iterator[Metric]:
        """An unknown figure is left out: 0 would be wrong."""
        gauges = (
            ("gatewayz_open_reservations", "Reservations that have not ended.", self._sample.open_reservations),
            (
                "gatewayz_projection_lag_seconds",
                "Age of the oldest event not yet projected.",
                self._sample.projection_lag_s,
            ),
        )
        for name, meaning, value in gauges:
            if value is not None:
                yield GaugeMetricFamily(name, meaning, value)
