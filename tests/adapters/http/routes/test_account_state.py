"""POST /admin/accounts/{id}/state: what an account may do, decided by an admin (docs/reference/rules.md#accounts)."""

from typing import Any

import httpx
import pytest

from domain.account.events import StateChanged
from domain.credit.events import Reserved
from tests.adapters.http.house import MODEL, House, error_of
from tests.fakes.memory_personal_data import sealed_for
from tests.fakes.scripted_providers import whole_answer

ASKED = {"model": MODEL, "messages": [{"role": "user", "content": "x"}]}
WHY = "chargebacks on three cards"


def change(admin: httpx.Client, house: House, state: str, **headers: str) -> httpx.Response:
    body = {"state": state, "reason": WHY}
    return admin.post(f"/admin/accounts/{house.account_id}/state", json=body, headers=headers)


@pytest.mark.parametrize("state", ["suspended", "bot", "closed"])
def test_an_account_in_such_a_state_is_not_served_until_it_is_reinstated(
    house: House, admin: httpx.Client, http: httpx.Client, state: str
) -> None:
    house.providers.answers[MODEL] = whole_answer()
    assert change(admin, house, state).json()["state"] == state
    refused = http.post("/v1/chat/completions", json=ASKED)
    assert (refused.status_code, error_of(refused.content)["code"]) == (403, "account_not_served")
    assert not house.happened(Reserved)
    change(admin, house, "active")
    assert http.post("/v1/chat/completions", json=ASKED).status_code == 200


@pytest.mark.parametrize("state", ["past_due", "inactive"])
def test_an_account_in_such_a_state_spends_purchased_credit_only(
    house: House, admin: httpx.Client, http: httpx.Client, state: str
) -> None:
    house.providers.answers[MODEL] = whole_answer()
    grant = {"amount_usd": "1", "kind": "promo", "reason": "goodwill for testing"}
    admin.post(f"/admin/accounts/{house.account_id}/grants", json=grant)
    (_, purchased) = house.credit.lots  # in burn order: the promo would go first
    change(admin, house, state)
    assert http.post("/v1/chat/completions", json=ASKED).status_code == 200
    assert [part.lot_id for part in house.happened(Reserved)[0].holds] == [purchased]


def test_a_change_says_where_it_stands_in_the_log_and_its_reason_is_sealed(house: House, admin: httpx.Client) -> None:
    changed = change(admin, house, "suspended")
    assert changed.status_code == 200
    assert changed.json()["position"] == changed.headers["x-gatewayz-position"]
    assert house.happened(StateChanged)[0].reason == sealed_for(house.account_id, WHY.encode())
    assert admin.get(f"/admin/accounts/{house.account_id}").json()["state"] == "suspended"


def test_P5_the_state_it_has_already_changes_nothing(house: House, admin: httpx.Client) -> None:
    change(admin, house, "suspended")
    again = change(admin, house, "suspended")
    assert (again.status_code, again.json()["position"]) == (200, None)
    assert len(house.happened(StateChanged)) == 1


def test_P5_a_repeated_idempotency_key_changes_nothing_more(house: House, admin: httpx.Client) -> None:
    key = {"idempotency-key": "case-17"}
    first = change(admin, house, "suspended", **key)
    change(admin, house, "active")
    assert change(admin, house, "suspended", **key).json() == first.json()
    assert admin.get(f"/admin/accounts/{house.account_id}").json()["state"] == "active"
    other = change(admin, house, "closed", **key)
    assert (other.status_code, error_of(other.content)["code"]) == (409, "idempotency_key_reused")


@pytest.mark.parametrize(
    ("wrong", "param"),
    [
        ({"state": "frozen"}, "state"),
        ({"state": None}, "state"),
        ({"reason": "short"}, "reason"),
        ({"reason": "x" * 501}, "reason"),
        ({"until": "2027-01-01"}, "until"),
    ],
)
def test_a_wrong_field_is_named(house: House, admin: httpx.Client, wrong: dict[str, Any], param: str) -> None:
    body = {"state": "suspended", "reason": WHY, **wrong}
    answer = admin.post(f"/admin/accounts/{house.account_id}/state", json=body)
    assert (answer.status_code, error_of(answer.content)["param"]) == (400, param)
    assert not house.happened(StateChanged)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (
            {"state": "frozen", "reason": WHY},
            "state must be one of trial, active, inactive, past_due, suspended, bot, closed",
        ),
        ({"state": "bot", "reason": 5}, "reason must be a string, in quotes"),
        ({"state": "bot"}, "reason is missing"),
        ({"state": "bot", "reason": WHY, "note": ""}, "there is no field note"),
        ({"state": "bot", "reason": "short"}, "reason must have 10 to 500 characters"),
    ],
)
def test_a_refusal_says_what_would_do(house: House, admin: httpx.Client, body: dict[str, Any], told: str) -> None:
    answer = admin.post(f"/admin/accounts/{house.account_id}/state", json=body)
    assert error_of(answer.content)["message"] == told


def test_only_an_admin_changes_it_and_only_of_an_account_there_is(
    house: House, admin: httpx.Client, manager: httpx.Client
) -> None:
    assert change(manager, house, "closed").status_code == 403
    for account in ("x", "00000000-0000-0000-0000-000000000000"):
        answer = admin.post(f"/admin/accounts/{account}/state", json={"state": "closed", "reason": WHY})
        assert (answer.status_code, error_of(answer.content)["code"]) == (404, "account_not_found")
