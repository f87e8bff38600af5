"""Sends spans to a collector: OTLP over HTTP in its JSON form.

Source: https://opentelemetry.io/docs/specs/otlp/#otlphttp (checked 2026-11-22): ids in hex, times as decimal strings.
"""

import logging
import urllib.request
from collections.abc import Sequence
from typing import Any

import msgspec
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

TIMEOUT_S = 5.0
"""The batch processor keeps what comes meanwhile, up to 2,048 spans, and then drops."""

INTERNAL = 1
"""SPAN_KIND_INTERNAL"""

log = logging.getLogger(__name__)


class OtlpJsonExporter(SpanExporter):
    def __init__(self, endpoint: str) -> None:
        """endpoint: of the collector, such as http://localhost:4318."""
        self._url = endpoint.rstrip("/") + "/v1/traces"

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        request = urllib.request.Request(
            self._url, msgspec.json.encode(_document(spans)), {"content-type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S):
                return SpanExportResult.SUCCESS
        except (OSError, ValueError) as error:  # URLError is an OSError, a bad URL a ValueError
            log.warning("spans were not sent to %s: %s", self._url, error)
            return SpanExportResult.FAILURE

    def shutdown(self) -> None:
        """Nothing is held here."""


def _document(spans: Sequence[ReadableSpan]) -> dict[str, Any]:
    resource = {"attributes": _attributes(spans[0].resource.attributes)}
    scope_spans = [{"scope": {"name": "gatewayz"}, "spans": [_span(span) for span in spans]}]
    return {"resourceSpans": [{"resource": resource, "scopeSpans": scope_spans}]}


def _span(span: ReadableSpan) -> dict[str, Any]:
    return {
        "traceId": f"{span.context.trace_id:032x}",
        "spanId": f"{span.context.span_id:016x}",
        "parentSpanId": f"{span.parent.span_id:016x}" if span.parent else "",
        "name": span.name,
        "kind": INTERNAL,
        "startTimeUnixNano": str(span.start_time),
        "endTimeUnixNano": str(span.end_time),
        "attributes": _attributes(span.attributes or {}),
        "status": {"code": span.status.status_code.value},
    }


def _attributes(attributes: Any) -> list[dict[str, Any]]:
    return [{"key": key, "value": {"stringValue": str(value)}} for key, value in attributes.items()]
