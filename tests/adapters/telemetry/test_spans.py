"""Spans of a request: three in one trace, nothing of what was said, and nothing at all unless somebody takes them."""

import json
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from uuid import UUID

import pytest

from adapters.outbound.telemetry.spans import NoSpans, Spans, open_spans

REQUEST = "01a205dc-a9c1-7499-bc2c-93cb07590f86"
STEPS = ("reserve", "provider call", "settle")


class Collector(ThreadingHTTPServer):
    """Takes OTLP over HTTP."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.received: list[tuple[str, dict[str, Any]]] = []

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Collector)
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.received.append((self.path, body))
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


def make_request(spans: Spans) -> None:
    for step in STEPS:
        with spans.span(step, REQUEST):
            pass


def test_a_requests_spans_share_a_trace_named_after_it(collector: Collector) -> None:
    spans = open_spans("gatewayz", collector.endpoint, to_console=False)
    make_request(spans)
    spans.close()
    ((path, document),) = collector.received
    assert path == "/v1/traces"
    (resource,) = document["resourceSpans"]
    assert {"key": "service.name", "value": {"stringValue": "gatewayz"}} in resource["resource"]["attributes"]
    sent = resource["scopeSpans"][0]["spans"]
    assert [span["name"] for span in sent] == list(STEPS)
    assert {span["traceId"] for span in sent} == {UUID(REQUEST).hex}
    assert all(int(span["endTimeUnixNano"]) >= int(span["startTimeUnixNano"]) > 0 for span in sent)


def test_a_failed_step_says_how_but_not_what(collector: Collector) -> None:
    spans = open_spans("gatewayz", collector.endpoint, to_console=False)
    with pytest.raises(ValueError, match="a prompt"), spans.span("provider call", REQUEST):
        raise ValueError("a prompt that somebody sent")
    spans.close()
    assert "a prompt" not in json.dumps(collector.received)
    (span,) = collector.received[0][1]["resourceSpans"][0]["scopeSpans"][0]["spans"]
    assert span["status"]["code"] == 2
    assert {"key": "error.type", "value": {"stringValue": "ValueError"}} in span["attributes"]


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
