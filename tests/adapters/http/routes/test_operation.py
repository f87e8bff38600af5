"""Health, readiness, metrics, draining, and faults that nobody foresaw."""

import threading

import httpx
import pytest
import structlog.testing

from adapters.inbound.http.gateway import Check
from tests.adapters.http.eventually import eventually
from tests.adapters.http.house import MODEL, House, error_of
from tests.adapters.http.served import Served
from tests.fakes.scripted_providers import Stop, whole_answer

ASKED = {"model": MODEL, "messages": [{"role": "user", "content": "my private question"}]}


def test_health_says_the_version(stranger: httpx.Client) -> None:
    assert stranger.get("/health").json() == {"status": "ok", "version": "1.2.3"}


def test_ready_lists_its_checks_and_fails_with_a_required_one(house: House, stranger: httpx.Client) -> None:
    house.checks = [Check(name="database", passed=True), Check(name="one role", passed=False, required=False)]
    answer = stranger.get("/ready")
    assert (answer.status_code, answer.json()["ready"]) == (200, True)
    house.checks.append(Check(name="projector", passed=False, detail="9 s behind"))
    answer = stranger.get("/ready")
    assert (answer.status_code, answer.json()["ready"]) == (503, False)
    assert answer.json()["checks"][2]["detail"] == "9 s behind"


def test_metrics_are_prometheus_text(stranger: httpx.Client) -> None:
    answer = stranger.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert "# HELP" in answer.text


def test_a_drain_ends_what_is_open_and_refuses_what_is_new(house: House, http: httpx.Client, served: Served) -> None:
    app = served.app = house.app
    stop = Stop()
    house.providers.answers[MODEL] = stop
    answers: list[httpx.Response] = []
    running = threading.Thread(target=lambda: answers.append(http.post("/v1/chat/completions", json=ASKED)))
    running.start()
    eventually(lambda: stop.is_reached)
    assert app.generations_under_way == 1
    app.begin_drain()
    refused = http.post("/v1/chat/completions", json=ASKED)
    assert (refused.status_code, error_of(refused.content)["code"]) == (503, "shutting_down")
    assert refused.headers["retry-after"] == "1"
    assert http.get("/ready").status_code == 503
    assert http.get("/health").status_code == 200
    stop.may_go_on = True
    running.join()
    assert answers[0].status_code == 200
    eventually(lambda: app.generations_under_way == 0)


def test_an_unforeseen_fault_is_500_with_an_id_that_the_log_has_and_nothing_else(
    house: House, http: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.providers.answers[MODEL] = RuntimeError("at my private question")
    monkeypatch.setattr(house.gateway.catalog, "models", lambda: 1 / 0)
    for method, path in (("POST", "/v1/chat/completions"), ("GET", "/v1/models")):
        with structlog.testing.capture_logs() as logs:
            answer = http.request(method, path, json=ASKED)
        error = error_of(answer.content)
        assert (answer.status_code, error["code"]) == (500, "internal_error")
        assert "Traceback" not in answer.text
        (line,) = logs
        assert line["request_id"] == error["metadata"]["request_id"] == answer.headers["x-request-id"]
        assert "private" not in repr(logs)
        assert house.key not in repr(logs)


def test_an_unforeseen_fault_leaves_no_credit_held_for_ever(house: House, http: httpx.Client) -> None:
    """It expires: nobody knows what the provider did."""
    house.providers.answers[MODEL] = RuntimeError("?")
    http.post("/v1/chat/completions", json=ASKED)
    (reservation,) = house.credit.reservations.values()
    assert reservation.expires_at > house.clock.now()
    house.providers.answers[MODEL] = whole_answer()
    assert http.post("/v1/chat/completions", json=ASKED).status_code == 200
