"""Spans by the OpenTelemetry SDK. A request's spans share one trace: the client's if it names one, else their own."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID

import requests
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SimpleSpanProcessor
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from adapters.outbound.telemetry.spans import PROVIDER_CALL

TIMEOUT_S = 5.0
"""Of one export, retries included. During it the batch processor keeps up to 2,048 spans and drops the rest."""

KINDS = {PROVIDER_CALL: SpanKind.CLIENT}
"""Spans not named here are internal to this process."""

_LOW_64_BITS = 2**64 - 1

_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?")
"""https://www.w3.org/TR/trace-context/#traceparent-header (checked 2026-11-27): later versions may add fields."""

_joined: ContextVar[SpanContext | None] = ContextVar("joined", default=None)
"""Parent span of the request that the running task serves."""


class OtelSpans:
    """Sends in batches from its own thread; an unreachable collector loses spans, never a request."""

    def __init__(self, service: str, otlp_endpoint: str) -> None:
        """otlp_endpoint: a collector's, such as http://localhost:4318; if empty, each span is written to stderr."""
        self._provider = TracerProvider(resource=Resource.create({"service.name": service}), shutdown_on_exit=False)
        self._provider.add_span_processor(
            BatchSpanProcessor(_exporter(otlp_endpoint))
            if otlp_endpoint
            else SimpleSpanProcessor(
                ConsoleSpanExporter(out=sys.stderr, formatter=lambda span: span.to_json(indent=None) + "\n")
            )
        )
        self._tracer = self._provider.get_tracer("gatewayz")

    def join(self, traceparent: str) -> None:
        """Spans of the running task join the trace in this header; a malformed header is ignored."""
        found = _TRACEPARENT.fullmatch(traceparent)
        if found is not None:
            trace_id, span_id, flags = (int(part, 16) for part in found.groups())
            _joined.set(SpanContext(trace_id, span_id, is_remote=True, trace_flags=TraceFlags(flags & 1)))

    @contextmanager
    def span(self, name: str, correlation_id: str) -> Iterator[None]:
        parent = _joined.get() or _own_trace(correlation_id)
        with self._tracer.start_as_current_span(
            name,
            set_span_in_context(NonRecordingSpan(parent)),
            kind=KINDS.get(name, SpanKind.INTERNAL),
            attributes={"gatewayz.correlation_id": correlation_id},
            record_exception=False,  # an exception's text may quote a prompt
            set_status_on_exception=False,
        ) as span:
            try:
                yield
            except BaseException as error:
                span.set_status(StatusCode.ERROR)
                span.set_attribute("error.type", type(error).__name__)
                raise

    def close(self) -> None:
        self._provider.shutdown()


def _own_trace(correlation_id: str) -> SpanContext:
    """A trace with the request's correlation id as its id."""
    request = UUID(correlation_id).int
    return SpanContext(request, request & _LOW_64_BITS, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))


def _exporter(endpoint: str) -> OTLPSpanExporter:
    """OTLP over HTTP in protobuf. Proxies of the environment are not used: settings decide where spans go."""
    session = requests.Session()
    session.trust_env = False
    return OTLPSpanExporter(endpoint=endpoint.rstrip("/") + "/v1/traces", timeout=TIMEOUT_S, session=session)
