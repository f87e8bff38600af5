"""application.ports.telemetry.Telemetry on Prometheus, OpenTelemetry and the log, cheap enough for every request."""

from contextlib import AbstractContextManager

import structlog
from prometheus_client import Counter

from adapters.outbound.telemetry.line_budget import LineBudget
from adapters.outbound.telemetry.metrics import Metrics
from adapters.outbound.telemetry.spans import Spans
from adapters.outbound.telemetry.traffic import Traffic
from application.ports.telemetry import Refusal
from domain.credit.events import Attempt
from domain.money import format_usd

REFUSALS_PER_S, FAILURES_PER_S = 20, 20
"""Log lines: more than an operator can read, few enough for a disk."""

OPERATORS_BUSINESS = {
    "unauthorized": "the provider does not accept our key: check the provider's API key in the environment",
    "payment_required": "the provider wants to be paid: check our account there",
    "forbidden": "the provider does not let our key do this: check its permissions there",
}
"""Error classes that only the operator can resolve -> what to do."""

log = structlog.get_logger()


class PrometheusTelemetry:
    """Children of labelled metrics are bound once per label set: models, providers and codes are few.

    owed_alarm_nusd: if an account's debt goes above this, an alarm is raised.
    """

    def __init__(self, metrics: Metrics, spans: Spans, owed_alarm_nusd: int) -> None:
        self.traffic = Traffic()
        self._metrics = metrics
        self._spans = spans
        self._owed_alarm_nusd = owed_alarm_nusd
        self._requests: dict[tuple[str, str, bool, bool], Counter] = {}
        self._refusals: dict[str, Counter] = {}
        self._refusal_lines = LineBudget(REFUSALS_PER_S)
        self._failure_lines = LineBudget(FAILURES_PER_S)

    def join(self, traceparent: str) -> None:
        self._spans.join(traceparent)

    def span(self, name: str, correlation_id: str) -> AbstractContextManager[None]:
        return self._spans.span(name, correlation_id)

    def settled(self, model: str, provider: str, paid_nusd: int, *, estimated: bool, streamed: bool) -> None:
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
        self._metrics.charges.inc(paid_nusd)
        self.traffic.charged += 1
        self.traffic.charged_nusd += paid_nusd

    def refused(self, refusal: Refusal) -> None:
        refusals = self._refusals.get(refusal.code)
        if refusals is None:
            refusals = self._refusals[refusal.code] = self._metrics.refusals.labels(code=refusal.code)
        refusals.inc()
        self.traffic.refusals[refusal.code] += 1
        left_out = self._refusal_lines.take()
        if left_out is not None:
            write = log.warning if refusal.status >= 500 else log.info
            write("request refused", **_fields(refusal), **_left_out(left_out))

    def provider_failed(self, model: str, generation_id: str, attempt: Attempt) -> None:
        self._metrics.provider_failures.labels(provider=attempt.provider, error_class=attempt.error_class).inc()
        self.traffic.failures[f"{attempt.provider} {attempt.error_class}"] += 1
        left_out = self._failure_lines.take()
        if left_out is None:
            return
        todo = OPERATORS_BUSINESS.get(attempt.error_class)
        write = log.warning if todo is None else log.error
        write(
            "provider failed",
            provider=attempt.provider,
            model=model,
            error_class=attempt.error_class,
            status=attempt.status,
            duration_ms=attempt.duration_ms,
            generation_id=generation_id,
            **({"todo": todo} if todo else {}),
            **_left_out(left_out),
        )

    def fell_short(self, account_id: str, amount_nusd: int, owed_nusd: int) -> None:
        """One line and one count each time an account's debt crosses the threshold, none for further debt above it."""
        self._metrics.shortfalls.inc(amount_nusd)
        if owed_nusd > self._owed_alarm_nusd >= owed_nusd - amount_nusd:
            self._metrics.owed_alarms.inc()
            log.error(
                "an account owes more than GATEWAYZ_OWED_ALARM_USD",
                account_id=account_id,
                owed_usd=format_usd(owed_nusd),
                shortfall_usd=format_usd(amount_nusd),
            )


def _fields(refusal: Refusal) -> dict[str, object]:
    return {
        "request_id": refusal.request_id,
        "method": refusal.method,
        "path": refusal.path,
        "status": refusal.status,
        "code": refusal.code,
        "why": refusal.message,
        **({"generation_id": refusal.generation_id} if refusal.generation_id else {}),
    }


def _left_out(count: int) -> dict[str, int]:
    return {"lines_left_out": count} if count else {}
