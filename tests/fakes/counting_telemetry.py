"""Telemetry that a test can ask what it was told."""

from collections import Counter
from contextlib import AbstractContextManager, nullcontext


class CountingTelemetry:
    def __init__(self) -> None:
        self.refusals: Counter[str] = Counter()
        self.settled_nusd: list[int] = []
        self.joined: list[str] = []

    def join(self, traceparent: str) -> None:
        self.joined.append(traceparent)

    def span(self, name: str, correlation_id: str) -> AbstractContextManager[None]:
        return nullcontext()

    def settled(self, model: str, provider: str, cost_nusd: int, *, estimated: bool, streamed: bool) -> None:
        self.settled_nusd.append(cost_nusd)

    def refused(self, code: str) -> None:
        self.refusals[code] += 1
