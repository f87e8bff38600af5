"""One process of several that share a metrics folder: counts, says so, and lives until stdin ends."""

import sys

from adapters.outbound.telemetry.logs import configure_logs
from adapters.outbound.telemetry.metrics import Metrics
from adapters.outbound.telemetry.spans import NoSpans
from adapters.outbound.telemetry.telemetry import PrometheusTelemetry
from application.ports.telemetry import Refusal

configure_logs("counting", "json", "error")
metrics = Metrics()
metrics.queue_depth = lambda: 7
telemetry = PrometheusTelemetry(metrics, NoSpans(), owed_alarm_nusd=100)
for _ in range(int(sys.argv[1])):
    telemetry.settled("a/m", "a", 3, estimated=False, streamed=True)
telemetry.refused(Refusal(code="overloaded", status=503, message="m", request_id="r", method="POST", path="/p"))
metrics.appended(5, 0.001)
print("counted", flush=True)
sys.stdin.read()
