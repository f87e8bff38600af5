"""Spans of a request: three in one trace, nothing of what was said, and nothing at all unless somebody takes them."""

import contextvars
import json
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from uuid import UUID

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from adapters.outbound.telemetry.spans import NoSpans, Spans, open_spans

REQUEST = "01a205dc-a9c1-7499-bc2c-93cb07590f86"
STEPS = ("reserve", "provider call", "settle")
TRACE, CALLER = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


class Collector(ThreadingHTTPServer):
    """Takes OTLP over HTTP, in protobuf only."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.received: list[tuple[str, ExportTraceServiceRequest]] = []

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def spans(self) -> list[Span]:
        return [
            span
            for _, sent in self.received
            for resource in sent.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Collector)
        assert self.headers["content-type"] == "application/x-protobuf"
        sent = ExportTraceServiceRequest.FromString(self.rfile.read(int(self.headers["content-length"])))
        self.server.received.append((self.path, sent))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Not into the tests' output."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def make_request(spans: Spans, traceparent: str = "") -> None:
    def steps() -> None:
        if traceparent:
            spans.join(traceparent)
        for step in STEPS:
            with spans.span(step, REQUEST):
                pass

    contextvars.copy_context().run(steps)  # as each request runs in a task of its own


def test_a_requests_spans_share_a_trace_named_after_it(collector: Collector) -> None:
    spans = open_spans("gatewayz", collector.endpoint, to_console=False)
    make_request(spans)
    spans.close()
    ((path, sent),) = collector.received
    assert path == "/v1/traces"
    (resource,) = sent.resource_spans
    named = {attribute.key: attribute.value.string_value for attribute in resource.resource.attributes}
    assert named["service.name"] == "gatewayz"
    assert [span.name for span in collector.spans] == list(STEPS)
    assert {span.trace_id.hex() for span in collector.spans} == {UUID(REQUEST).hex}
    assert all(span.end_time_unix_nano >= span.start_time_unix_nano > 0 for span in collector.spans)


def test_only_the_provider_call_is_a_client_span(collector: Collector) -> None:
    spans = open_spans("gatewayz", collector.endpoint, to_console=False)
    make_request(spans)
    spans.close()
    kinds = {span.name: span.kind for span in collector.spans}
    assert kinds == {
        "reserve": Span.SPAN_KIND_INTERNAL,
        "provider call": Span.SPAN_KIND_CLIENT,
        "settle": Span.SPAN_KIND_INTERNAL,
    }


def test_a_clients_trace_is_joined_and_the_next_request_is_not_in_it(collector: Collector) -> None:
    spans = open_spans("gatewayz", collector.endpoint, to_console=False)
    make_request(spans, f"00-{TRACE}-{CALLER}-01")
    make_request(spans)
    spans.close()
    joined, own = collector.spans[:3], collector.spans[3:]
    assert {(span.trace_id.hex(), span.parent_span_id.hex()) for span in joined} == {(TRACE, CALLER)}
    assert {span.trace_id.hex() for span in own} == {UUID(REQUEST).hex}


def test_a_later_version_of_the_header_may_say_more(collector: Collector) -> None:
    spans = open_spans("gatewayz", collector.endpoint, to_console=False)
    make_request(spans, f"01-{TRACE}-{CALLER}-01-what-comes")
    spans.close()
    assert {span.trace_id.hex() for span in collector.spans} == {TRACE}


@pytest.mark.parametrize(
    "traceparent",
    [
        "",
        "garbage",
        f"ff-{TRACE}-{CALLER}-01",
        f"00-{'0' * 32}-{CALLER}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{CALLER}-01",
        f"00-{TRACE}-{CALLER}",
    ],
)
def test_a_header_that_names_no_trace_is_left_aside(collector: Collector, traceparent: str) -> None:
    spans = open_spans("gatewayz", collector.endpoint, to_console=False)
    make_request(spans, traceparent)
    spans.close()
    assert {span.trace_id.hex() for span in collector.spans} == {UUID(REQUEST).hex}


def test_a_trace_that_its_client_does_not_sample_is_not_sent(collector: Collector) -> None:
    spans = open_spans("gatewayz", collector.endpoint, to_console=False)
    make_request(spans, f"00-{TRACE}-{CALLER}-00")
    spans.close()
    assert collector.received == []


def test_a_failed_step_says_how_but_not_what(collector: Collector) -> None:
    spans = open_spans("gatewayz", collector.endpoint, to_console=False)
    with pytest.raises(ValueError, match="a prompt"), spans.span("provider call", REQUEST):
        raise ValueError("a prompt that somebody sent")
    spans.close()
    (span,) = collector.spans
    assert "a prompt" not in str(span)
    assert span.status.code == Status.STATUS_CODE_ERROR
    assert {attribute.key: attribute.value.string_value for attribute in span.attributes}["error.type"] == "ValueError"


def test_the_environments_proxy_is_not_asked(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    spans = open_spans("gatewayz", collector.endpoint, to_console=False)
    make_request(spans)
    spans.close()
    assert len(collector.spans) == len(STEPS)


def test_a_collector_that_is_away_costs_spans_and_nothing_else() -> None:
    spans = open_spans("gatewayz", "http://127.0.0.1:1", to_console=False)
    make_request(spans)
    spans.close()


def test_the_console_gets_a_line_per_span(capfd: pytest.CaptureFixture[str]) -> None:
    spans = open_spans("gatewayz", "", to_console=True)
    make_request(spans)
    spans.close()
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert [line["name"] for line in lines] == list(STEPS)


def test_off_nothing_is_made_and_nothing_is_loaded() -> None:
    spans = open_spans("gatewayz", "", to_console=False)
    assert isinstance(spans, NoSpans)
    assert spans.span("reserve", REQUEST) is spans.span("settle", REQUEST)
    code = (
        "import sys; from adapters.outbound.telemetry.spans import open_spans;"
        "open_spans('g', '', to_console=False); sys.exit('opentelemetry' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
