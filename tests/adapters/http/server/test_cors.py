"""Pages of other origins: which may call what, and what they may read. What protects every answer."""

from collections.abc import Iterator

import httpx
import pytest

from adapters.inbound.http.gateway import Limits
from tests.adapters.http.conftest import speaker
from tests.adapters.http.house import ADMIN_KEY, MODEL, House
from tests.adapters.http.served import Served
from tests.fakes.scripted_providers import whole_answer

PAGE = {"origin": "http://localhost:3000"}
ASKS = {"access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type"}
CHAT = {"model": MODEL, "messages": [{"role": "user", "content": "x"}]}
ALLOWED = "access-control-allow-origin"


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/api/v1/chat/completions", "/v1/keys", "/v1/nowhere"])
def test_a_preflight_is_answered_without_a_key(stranger: httpx.Client, path: str) -> None:
    answer = stranger.options(path, headers={**PAGE, **ASKS})
    assert answer.status_code == 204
    assert answer.headers[ALLOWED] == "*"
    assert answer.headers["access-control-allow-headers"] == "authorization,content-type"
    assert "POST" in answer.headers["access-control-allow-methods"]


def test_a_page_reads_the_cost_and_the_ids(house: House, http: httpx.Client) -> None:
    house.providers.answers[MODEL] = whole_answer()
    answer = http.post("/v1/chat/completions", json=CHAT, headers=PAGE)
    assert answer.headers[ALLOWED] == "*"
    shown = set(answer.headers["access-control-expose-headers"].split(", "))
    ours = {name for name in answer.headers if name.startswith(("x-gatewayz-", "x-generation", "x-request"))}
    assert {"x-gatewayz-cost", "x-generation-id", "x-request-id"} <= ours <= shown
    assert "retry-after" in shown


def test_a_page_reads_refusals_too(stranger: httpx.Client) -> None:
    for path in ("/v1/chat/completions", "/v1/keys"):
        assert stranger.post(path, json=CHAT, headers=PAGE).headers[ALLOWED] == "*"


@pytest.mark.parametrize("path", ["/admin/accounts", "/metrics", "/health"])
def test_no_page_reads_what_is_the_operators(served: Served, house: House, path: str) -> None:
    with speaker(served, ADMIN_KEY) as admin:
        for answer in (admin.options(path, headers={**PAGE, **ASKS}), admin.get(path, headers=PAGE)):
            assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.fixture
def choosy(served: Served) -> Iterator[httpx.Client]:
    house = House(limits=Limits(cors_origins="https://app.example, http://localhost:3000"))
    served.app = house.app
    with speaker(served, house.key) as client:
        yield client


def test_of_a_list_only_its_origins_are_answered(choosy: httpx.Client) -> None:
    for origin, allowed in (("https://app.example", True), ("https://evil.example", False), ("null", False)):
        headers = {"origin": origin}
        answers = choosy.options("/v1/keys", headers={**headers, **ASKS}), choosy.get("/v1/key", headers=headers)
        for answer in answers:
            assert answer.headers.get(ALLOWED) == (origin if allowed else None)
            assert answer.headers["vary"] == "origin"


def test_off_answers_no_page(served: Served) -> None:
    served.app = House(limits=Limits(cors_origins="off")).app
    with httpx.Client(base_url=served.url) as client:
        assert ALLOWED not in client.options("/v1/keys", headers={**PAGE, **ASKS}).headers
        assert ALLOWED not in client.get("/v1/models", headers=PAGE).headers


def test_without_a_page_nothing_is_said_of_pages(http: httpx.Client) -> None:
    assert not [name for name in http.get("/v1/key").headers if name.startswith("access-control")]


@pytest.mark.parametrize("path", ["/v1/key", "/v1/models", "/health", "/metrics", "/openapi.json", "/nowhere"])
def test_every_answer_protects_itself(http: httpx.Client, path: str) -> None:
    headers = http.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["referrer-policy"] == "no-referrer"


def test_keys_and_figures_are_stored_nowhere(house: House, manager: httpx.Client, http: httpx.Client) -> None:
    house.providers.answers[MODEL] = whole_answer()
    answers = [
        manager.post("/v1/keys", json={"name": "another"}),
        manager.get("/v1/credits"),
        http.post("/v1/chat/completions", json=CHAT),
        http.get("/v1/nowhere"),
    ]
    assert {answer.headers["cache-control"] for answer in answers} == {"no-store"}


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_there_is_no_page_that_loads_scripts_of_other_hosts(stranger: httpx.Client, path: str) -> None:
    assert stranger.get(path).status_code == 404
