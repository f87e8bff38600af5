"""What application.ports.telemetry promises: figures a test, or an operator, can ask for."""

from collections.abc import Callable, Mapping

import pytest
from structlog.testing import capture_logs

from adapters.outbound.telemetry.metrics import Metrics
from adapters.outbound.telemetry.spans import NoSpans
from adapters.outbound.telemetry.telemetry import PrometheusTelemetry
from application.ports.telemetry import Telemetry
from domain.credit.events import Attempt
from tests.adapters.telemetry.refusals import refusal
from tests.fakes.counting_telemetry import CountingTelemetry

PORT = Telemetry


def prometheus_telemetry() -> PrometheusTelemetry:
    return PrometheusTelemetry(Metrics(), NoSpans(), owed_alarm_nusd=10**9)


SUBJECTS: Mapping[str, Callable[[], Telemetry]] = {"counting": CountingTelemetry, "prometheus": prometheus_telemetry}


def test_whatever_is_reported_is_counted_once_and_raises_nothing(subject: str) -> None:
    telemetry = SUBJECTS[subject]()
    with capture_logs():
        telemetry.join("not a traceparent")
        with telemetry.span("reserve", "correlation"):
            telemetry.settled("a/m", "a", 7, estimated=False, streamed=True)
        telemetry.refused(refusal("overloaded", 503))
        telemetry.provider_failed("a/m", "gen-1", Attempt(provider="a", error_class="timeout", status=504))
        telemetry.fell_short("acct", 3, 9)
    if isinstance(telemetry, CountingTelemetry):
        assert (telemetry.settled_nusd, telemetry.refusals["overloaded"]) == ([7], 1)
        assert (len(telemetry.failures), telemetry.owed) == (1, [("acct", 3, 9)])
    elif isinstance(telemetry, PrometheusTelemetry):
        traffic = telemetry.traffic
        assert (traffic.charged, traffic.charged_nusd, traffic.refusals["overloaded"]) == (1, 7, 1)
        assert sum(traffic.failures.values()) == 1


def test_a_span_lets_errors_through(subject: str) -> None:
    with pytest.raises(KeyError), SUBJECTS[subject]().span("settle", "correlation"):
        raise KeyError("of the step itself")
