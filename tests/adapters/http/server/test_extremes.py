"""The extremes of every number and time that may be sent: 400 naming the field, and nothing is recorded."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from domain.credit.events import Settled
from tests.adapters.http.conftest import speaker
from tests.adapters.http.house import House, error_of
from tests.adapters.http.served import Served
from tests.fakes.scripted_providers import whole_answer

DATES = ["9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "2200-01-01T00:00:00Z", "2019-12-31T23:59:59Z"]
LIMITS = ["1e999999", "1e-999999", "1e99999999999999999999", "4611686018.4273879041", "9" * 5_000, "-1e-9"]
GRACES = ["1000000000000", "-1", "9" * 400, "604801"]


@pytest.fixture
def manager(house: House, served: Served) -> Any:
    with speaker(served, house.new_key("manager", kind="management")) as http:
        yield http


def sent(http: httpx.Client, method: str, path: str, body: str) -> httpx.Response:
    return http.request(method, path, content=body, headers={"content-type": "application/json"})


def hash_of_a_key(manager: httpx.Client) -> str:
    made = sent(manager, "POST", "/v1/keys", '{"name": "to be changed"}')
    return str(made.json()["data"]["hash"])


@pytest.mark.parametrize(
    ("member", "code", "param"),
    [
        *[(f'"expires_at": "{date}"', "invalid_expiry", "expires_at") for date in DATES],
        *[(f'"limit": {limit}', "invalid_amount", "limit") for limit in LIMITS],
    ],
    ids=lambda value: value[:30],
)
def test_a_key_is_not_made_or_changed(house: House, manager: httpx.Client, member: str, code: str, param: str) -> None:
    key = hash_of_a_key(manager)
    head = len(house.ledger.log)
    for answer in (
        sent(manager, "POST", "/v1/keys", f'{{"name": "n", {member}}}'),
        sent(manager, "PATCH", f"/v1/keys/{key}", f"{{{member}}}"),
    ):
        error = error_of(answer.content)
        assert (answer.status_code, error["code"], error["param"]) == (400, code, param)
    assert len(house.ledger.log) == head


@pytest.mark.parametrize("grace_s", GRACES, ids=lambda value: value[:30])
def test_a_key_is_not_rotated(house: House, manager: httpx.Client, grace_s: str) -> None:
    key = hash_of_a_key(manager)
    head = len(house.ledger.log)
    answer = sent(manager, "POST", f"/v1/keys/{key}/rotate", f'{{"grace_s": {grace_s}}}')
    assert (answer.status_code, error_of(answer.content)["code"]) == (400, "invalid_grace")
    assert len(house.ledger.log) == head


@pytest.mark.parametrize(
    ("member", "code", "param"),
    [
        *[(f'"expires_at": "{date}"', "invalid_expiry", "expires_at") for date in DATES],
        *[(f'"priority": {priority}', "invalid_request", "priority") for priority in ("-1", "1001", "9" * 40)],
    ],
    ids=lambda value: value[:30],
)
def test_credit_is_not_granted(house: House, admin: httpx.Client, member: str, code: str, param: str) -> None:
    head = len(house.ledger.log)
    body = f'{{"amount_usd": "5", "kind": "promo", "reason": "to try the extremes", {member}}}'
    answer = sent(admin, "POST", f"/admin/accounts/{house.account_id}/grants", body)
    error = error_of(answer.content)
    assert (answer.status_code, error["code"], error["param"]) == (400, code, param)
    assert len(house.ledger.log) == head


def test_a_date_is_shown_in_utc(manager: httpx.Client) -> None:
    made = sent(manager, "POST", "/v1/keys", '{"name": "n", "expires_at": "2199-12-31T23:59:59-00:00"}')
    assert (made.status_code, made.json()["data"]["expires_at"]) == (201, "2199-12-31T23:59:59Z")
    made = sent(manager, "POST", "/v1/keys", '{"name": "m", "expires_at": "2030-01-01T09:00:00+09:00"}')
    assert made.json()["data"]["expires_at"] == "2030-01-01T00:00:00Z"


ERASED: list[tuple[str, Callable[[str], str], str]] = [
    ("POST", lambda key: "/v1/keys", '{"name": "another"}'),
    ("PATCH", lambda key: f"/v1/keys/{key}", '{"name": "another"}'),
]


@pytest.mark.parametrize(("method", "path", "body"), ERASED, ids=["POST", "PATCH"])
def test_nothing_is_sealed_for_an_account_whose_data_key_is_gone(
    house: House, manager: httpx.Client, method: str, path: Callable[[str], str], body: str
) -> None:
    key = hash_of_a_key(manager)
    house.personal_data.erased.add(house.account_id)
    answer = sent(manager, method, path(key), body)
    assert (answer.status_code, error_of(answer.content)["code"]) == (409, "account_erased")


VIEWS = ("/admin/accounts", "/admin/accounts/{account}")


def test_an_account_with_anothers_data_key_is_shown_and_refuses_to_be_changed(
    house: House, manager: httpx.Client, admin: httpx.Client
) -> None:
    key = hash_of_a_key(manager)
    house.personal_data.swapped.add(house.account_id)
    for path in VIEWS:
        shown = admin.get(path.format(account=house.account_id))
        assert (shown.status_code, "cannot be read" in shown.text) == (200, True), path
    assert manager.get("/v1/keys").json()["data"][0]["name"] == "cannot be read"
    answer = sent(manager, "PATCH", f"/v1/keys/{key}", '{"name": "another"}')
    assert (answer.status_code, error_of(answer.content)["code"]) == (409, "account_unreadable")


def test_an_answer_that_cannot_be_kept_is_charged_and_served(house: House, http: httpx.Client) -> None:
    house.providers.answers["acme/m"] = whole_answer()
    house.personal_data.erased.add(house.account_id)
    asked = {"model": "acme/m", "messages": [{"role": "user", "content": "x"}]}
    answer = http.post("/v1/chat/completions", json=asked, headers={"idempotency-key": "once"})
    assert answer.status_code == 200
    again = http.post("/v1/chat/completions", json=asked, headers={"idempotency-key": "once"})
    assert (again.status_code, error_of(again.content)["code"]) == (409, "answer_not_kept")
    assert len(house.happened(Settled)) == 1
