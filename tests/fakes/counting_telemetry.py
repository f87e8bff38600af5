"""Telemetry that a test can ask what it was told."""

from collections import Counter
from contextlib import AbstractContextManager, nullcontext

from application.ports.telemetry import Refusal
from domain.credit.events import Attempt


class CountingTelemetry:
    def __init__(self) -> None:
        self.refusals: Counter[str] = Counter()
        self.settled_nusd: list[int] = []
        self.refused_requests: list[Refusal] = []
        self.failures: list[tuple[str, str, Attempt]] = []
        self.joined: list[str] = []
        self.owed: list[tuple[str, int, int]] = []

    def join(self, traceparent: str) -> None:
        self.joined.append(traceparent)

    def span(self, name: str, correlation_id: str) -> AbstractContextManager[None]:
        return nullcontext()

    def settled(self, model: str, provider: str, paid_nusd: int, *, estimated: bool, streamed: bool) -> None:
        self.settled_nusd.append(paid_nusd)

    def refused(self, refusal: Refusal) -> None:
        self.refusals[refusal.code] += 1
        self.refused_requests.append(refusal)

    def provider_failed(self, model: str, generation_id: str, attempt: Attempt) -> None:
        self.failures.append((model, generation_id, attempt))

    def fell_short(self, account_id: str, amount_nusd: int, owed_nusd: int) -> None:
        self.owed.append((account_id, amount_nusd, owed_nusd))
