"""What an operator reads in the terminal: a line per refusal and provider failure, bounded, and a line of traffic."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
import structlog

from adapters.outbound.telemetry.line_budget import LineBudget
from adapters.outbound.telemetry.metrics import Metrics
from adapters.outbound.telemetry.spans import NoSpans
from adapters.outbound.telemetry.telemetry import REFUSALS_PER_S, PrometheusTelemetry
from adapters.outbound.telemetry.traffic import Traffic, log_traffic
from domain.credit.events import Attempt
from tests.adapters.telemetry.refusals import refusal


@pytest.fixture
def lines() -> Iterator[list[Any]]:
    with structlog.testing.capture_logs() as captured:
        yield captured


@pytest.fixture
def telemetry() -> PrometheusTelemetry:
    return PrometheusTelemetry(Metrics(), NoSpans(), owed_alarm_nusd=0)


def test_a_refusal_is_a_line_that_says_which_request_and_why(telemetry: PrometheusTelemetry, lines: list[Any]) -> None:
    telemetry.refused(refusal("insufficient_credits", generation_id="gen-1"))
    (line,) = lines
    assert line == {
        "event": "request refused",
        "log_level": "info",
        "request_id": "req-1",
        "method": "POST",
        "path": "/v1/chat/completions",
        "status": 402,
        "code": "insufficient_credits",
        "why": "about insufficient_credits",
        "generation_id": "gen-1",
    }


def test_a_failure_of_ours_is_a_warning(telemetry: PrometheusTelemetry, lines: list[Any]) -> None:
    telemetry.refused(refusal("ledger_unavailable", 503))
    assert lines[0]["log_level"] == "warning"


@pytest.mark.parametrize(
    ("error_class", "level"),
    [("server_error", "warning"), ("unauthorized", "error"), ("payment_required", "error"), ("forbidden", "error")],
)
def test_a_provider_that_fails_is_named_with_its_cause_and_what_only_the_operator_can_mend_with_what_to_do(
    telemetry: PrometheusTelemetry, lines: list[Any], error_class: str, level: str
) -> None:
    telemetry.provider_failed("a/m", "gen-1", Attempt(provider="a", error_class=error_class, status=401, duration_ms=7))
    (line,) = lines
    told = [line[name] for name in ("provider", "model", "error_class", "status", "duration_ms", "generation_id")]
    assert told == ["a", "a/m", error_class, 401, 7, "gen-1"]
    assert line["log_level"] == level
    assert ("todo" in line) == (level == "error")


def test_a_flood_of_refusals_is_no_flood_of_lines(telemetry: PrometheusTelemetry, lines: list[Any]) -> None:
    for _ in range(50 * REFUSALS_PER_S):
        telemetry.refused(refusal("invalid_api_key", 401))
    assert REFUSALS_PER_S <= len(lines) <= 10 * REFUSALS_PER_S, "the machine may take some seconds for them"
    assert telemetry.traffic.refusals["invalid_api_key"] == 50 * REFUSALS_PER_S


def test_lines_left_out_are_counted_with_the_next_one() -> None:
    now_s = 0.0
    budget = LineBudget(2, lambda: now_s)
    assert [budget.take() for _ in range(5)] == [0, 0, None, None, None]
    now_s = 1.0
    assert [budget.take() for _ in range(3)] == [3, 0, None]


def test_a_minute_of_traffic_is_one_line_and_silence_none() -> None:
    traffic = Traffic()
    assert traffic.take() == {}
    traffic.charged, traffic.charged_nusd = 3, 4_500
    traffic.refusals.update(invalid_api_key=2, overloaded=1)
    traffic.failures["a server_error"] += 1
    assert traffic.take() == {
        "charged": 3,
        "charged_usd": "0.0000045",
        "refused": 3,
        "refused_by": {"invalid_api_key": 2, "overloaded": 1},
        "provider_failures": 1,
        "provider_failures_by": {"a server_error": 1},
    }
    assert traffic.take() == {}


async def test_the_line_comes_by_itself(lines: list[Any]) -> None:
    traffic = Traffic(charged=1)
    telling = asyncio.create_task(log_traffic(traffic, every_s=0.01))
    while not lines:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    telling.cancel()
    with suppress(asyncio.CancelledError):
        await telling
    assert [(line["event"], line["charged"]) for line in lines] == [("traffic", 1)]
