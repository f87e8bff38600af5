"""Spans by the OpenTelemetry SDK. A request's spans share one trace, whose id is the request's correlation id."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SimpleSpanProcessor
from opentelemetry.trace import NonRecordingSpan, SpanContext, StatusCode, TraceFlags, set_span_in_context

from adapters.outbound.telemetry.otlp_json import OtlpJsonExporter

_LOW_64_BITS = 2**64 - 1


class OtelSpans:
    """Sends in batches from a thread of its own; a collector that is away costs spans, never a request."""

    def __init__(self, service: str, otlp_endpoint: str) -> None:
        """otlp_endpoint: empty writes each span as a line to stderr instead."""
        self._provider = TracerProvider(resource=Resource.create({"service.name": service}), shutdown_on_exit=False)
        self._provider.add_span_processor(
            BatchSpanProcessor(OtlpJsonExporter(otlp_endpoint))
            if otlp_endpoint
            else SimpleSpanProcessor(
                ConsoleSpanExporter(out=sys.stderr, formatter=lambda span: span.to_json(indent=None) + "\n")
            )
        )
        self._tracer = self._provider.get_tracer("gatewayz")

    @contextmanager
    def span(self, name: str, correlation_id: str) -> Iterator[None]:
        request = UUID(correlation_id).int
        parent = SpanContext(
            request, request & _LOW_64_BITS, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED)
        )
        context = set_span_in_context(NonRecordingSpan(parent))
        with self._tracer.start_as_current_span(
            name,
            context,
            attributes={"gatewayz.correlation_id": correlation_id},
            record_exception=False,  # its text may quote a prompt: that there was one is enough here
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
