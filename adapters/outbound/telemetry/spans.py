"""Spans of reserve, provider call and settle. Without a destination nothing is imported or done."""

import contextlib
from contextlib import AbstractContextManager
from typing import Protocol

PROVIDER_CALL = "provider call"
"""The only step of a request that calls another server."""


class Spans(Protocol):
    def join(self, traceparent: str) -> None:
        """Spans of the running task join the trace in this header (W3C trace context)."""
        ...

    def span(self, name: str, correlation_id: str) -> AbstractContextManager[None]: ...

    def close(self) -> None:
        """Send the spans still held."""
        ...


class NoSpans:
    _nothing: AbstractContextManager[None] = contextlib.nullcontext()

    def join(self, traceparent: str) -> None:
        """There are no spans."""

    def span(self, name: str, correlation_id: str) -> AbstractContextManager[None]:
        return self._nothing

    def close(self) -> None:
        """Nothing is held."""


def open_spans(service: str, otlp_endpoint: str, *, to_console: bool) -> Spans:
    """Where spans go: an OTLP collector (http://host:4318), stderr, or nowhere."""
    if not otlp_endpoint and not to_console:
        return NoSpans()
    # Imported here because it costs 0.3 s and 8 MB, which an installation without a collector saves.
    from adapters.outbound.telemetry.otel_spans import OtelSpans

    return OtelSpans(service, otlp_endpoint)
