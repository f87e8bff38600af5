"""Credit, the calling key, generations: what an account reads about itself, exact to the nano-dollar."""

import httpx
import pytest

from domain.window import KeyLimit
from tests.adapters.http.conftest import speaker
from tests.adapters.http.house import MODEL, House, error_of
from tests.adapters.http.served import Served
from tests.fakes.scripted_providers import failure, whole_answer

PATH = "/v1/chat/completions"
ASKED = {"model": MODEL, "messages": [{"role": "user", "content": "x"}]}


def test_P6_credits_are_exact_numbers(house: House, http: httpx.Client) -> None:
    house.grant("0.123456789")
    house.providers.answers[MODEL] = whole_answer(usage={"input": 1, "output": 1})
    http.post(PATH, json=ASKED)
    assert (
        http.get("/v1/credits").text == '{"data":{"total_credits":10.123456789,"total_usage":0.000003,"owed_usd":"0"}}'
    )
    assert http.get("/api/v1/credits").status_code == 200


def test_a_management_key_reads_them_too(manager: httpx.Client) -> None:
    assert manager.get("/v1/credits").json() == {"data": {"total_credits": 10, "total_usage": 0, "owed_usd": "0"}}


def test_after_waits_for_a_position(house: House, http: httpx.Client) -> None:
    head = len(house.ledger.log)
    assert http.get("/v1/credits", params={"after": f"0-{head}"}).status_code == 200
    assert house.positions.waited_for[-1] == head


def test_a_position_that_does_not_come_is_503_with_retry_after(http: httpx.Client) -> None:
    for path in ("/v1/credits", "/v1/key", "/v1/keys", "/v1/generation?id=gen-x"):
        answer = http.get(path, params={**httpx.URL(path).params, "after": "0-99999"})
        assert (answer.status_code, error_of(answer.content)["code"]) == (503, "position_not_reached")
        assert answer.headers["retry-after"] == "1"


@pytest.mark.parametrize("after", ["7", "1-7", "0-", "0--1", "0-x", "0-٣"])
def test_after_must_be_a_position(http: httpx.Client, after: str) -> None:
    answer = http.get("/v1/credits", params={"after": after})
    assert (answer.status_code, error_of(answer.content)["param"]) == (400, "after")


def test_the_calling_key_about_itself(house: House, served: Served) -> None:
    house.providers.answers[MODEL] = whole_answer()
    limited = house.new_key("limited", limit=KeyLimit(10**9, "weekly"))
    with speaker(served, limited) as http:
        http.post(PATH, json=ASKED)
        data = http.get("/v1/key").json()["data"]
    assert data == data | {
        "label": f"gw_test_...{limited[-4:]}",
        "usage": 0.00002,
        "usage_daily": 0.00002,
        "usage_weekly": 0.00002,
        "usage_monthly": 0.00002,
        "limit": 1,
        "limit_remaining": 0.99998,
        "limit_reset": "weekly",
        "is_free_tier": False,
        "is_management_key": False,
        "is_provisioning_key": False,
        "expires_at": None,
    }


def test_P6_a_generation_costs_what_the_answer_said(house: House, http: httpx.Client) -> None:
    house.providers.answers[MODEL] = whole_answer()
    answer = http.post(PATH, json=ASKED, headers={"x-title": "My App"})
    found = http.get("/v1/generation", params={"id": answer.headers["x-generation-id"]})
    assert f'"total_cost":{answer.headers["x-gatewayz-cost"]},' in found.text
    data = found.json()["data"]
    assert (data["model"], data["provider_name"], data["title"]) == (MODEL, "acme", "My App")
    assert (data["native_tokens_prompt"], data["native_tokens_completion"]) == (10, 5)
    assert (data["status"], data["finish_reason"], data["streamed"]) == ("settled", "stop", False)
    assert data["position"] == answer.headers["x-gatewayz-position"]


def test_a_generation_that_failed_is_there_and_cost_nothing(house: House, http: httpx.Client) -> None:
    house.providers.answers[MODEL] = failure()
    http.post(PATH, json=ASKED)
    data = http.get("/v1/generation", params={"id": house.providers.calls[0].generation_id}).json()["data"]
    assert (data["status"], data["total_cost"]) == ("released", 0)


def test_nobody_sees_another_accounts_generation(house: House, http: httpx.Client, served: Served) -> None:
    house.providers.answers[MODEL] = whole_answer()
    generation_id = http.post(PATH, json=ASKED).headers["x-generation-id"]
    mine, house.account_id = house.account_id, house.open_account("eve")
    hers, house.account_id = house.new_key("hers"), mine
    with speaker(served, hers) as eve:
        answer = eve.get("/v1/generation", params={"id": generation_id})
    assert (answer.status_code, error_of(answer.content)["code"]) == (404, "generation_not_found")


@pytest.mark.parametrize(
    ("query", "status", "param"), [("", 400, "id"), ("id=" + "x" * 200, 400, "id"), ("id=%00", 404, None)]
)
def test_a_generation_needs_an_id(http: httpx.Client, query: str, status: int, param: str | None) -> None:
    answer = http.get(f"/v1/generation?{query}")
    assert (answer.status_code, error_of(answer.content)["param"]) == (status, param)


def test_reads_need_a_key(stranger: httpx.Client) -> None:
    for path in ("/v1/credits", "/v1/key", "/v1/keys", "/v1/generation?id=gen-x"):
        assert stranger.get(path).status_code == 401
