"""application.ports.Telemetry on Prometheus and OpenTelemetry, cheap enough for every request."""

from contextlib import AbstractContextManager

from prometheus_client import Counter

from adapters.outbound.telemetry.metrics import Metrics
from adapters.outbound.telemetry.spans import Spans


class PrometheusTelemetry:
    """Children of labelled metrics are bound once per label set: models, providers and codes are few."""

    def __init__(self, metrics: Metrics, spans: Spans) -> None:
        self._metrics = metrics
        self._spans = spans
        self._requests: dict[tuple[str, str, bool, bool], Counter] = {}
        self._refusals: dict[str, Counter] = {}

    def join(self, traceparent: str) -> None:
        self._spans.join(traceparent)

    def span(self, name: str, correlation_id: str) -> AbstractContextManager[None]:
        return self._spans.span(name, correlation_id)

    def settled(self, model: str, provider: str, cost_nusd: int, *, estimated: bool, streamed: bool) -> None:
        labels = model, provider, streamed, estimated
        requests = self._requests.get(labels)
        if requests is None:
            requests = self._requests[labels] = self._metrics.requests.labels(
                model=model,
                provider=provider,
                streamed=str(streamed).lower(),
                outcome="estimated" if estimated else "settled",
            )
        requests.inc()
        self._metrics.charges.inc(cost_nusd)

    def refused(self, code: str) -> None:
        refusals = self._refusals.get(code)
        if refusals is None:
            refusals = self._refusals[code] = self._metrics.refusals.labels(code=code)
        refusals.inc()
