"""The admin's accounts, grants and keys."""

from typing import Any

import httpx
import pytest

from domain.credit.events import Granted
from tests.adapters.http.conftest import speaker
from tests.adapters.http.house import MODEL, House, error_of
from tests.adapters.http.served import Served
from tests.fakes.scripted_providers import whole_answer

GRANT = {"amount_usd": "12.345678901", "kind": "promo", "reason": "goodwill for testing"}


def test_from_nothing_to_a_paid_answer(house: House, admin: httpx.Client, served: Served) -> None:
    house.providers.answers[MODEL] = whole_answer()
    opened = admin.post("/admin/accounts", json={"username": "bob", "email": "bob@example.com"})
    account = f"/admin/accounts/{opened.json()['account_id']}"
    key = admin.post(f"{account}/keys", json={"label": "demo", "environment": "live"}).json()
    granted = admin.post(f"{account}/grants", json=GRANT)
    assert (opened.status_code, granted.status_code) == (201, 201)
    assert granted.json() == {"position": f"0-{len(house.ledger.log)}", "available_usd": "12.345678901"}
    assert granted.headers["x-gatewayz-position"] == granted.json()["position"]
    with speaker(served, key["api_key"]) as http:
        http.post("/v1/chat/completions", json={"model": MODEL, "messages": [{"role": "user", "content": "x"}]})
        assert (
            http.get("/v1/credits").text
            == '{"data":{"total_credits":12.345678901,"total_usage":0.00002,"owed_usd":"0"}}'
        )
    seen = admin.get(account).json()
    assert (seen["username"], seen["email"], seen["state"]) == ("bob", "bob@example.com", "active")
    assert (seen["available_usd"], seen["posted_usd"], seen["held_usd"]) == ("12.345658901", "12.345658901", "0")
    assert [lot["remaining_usd"] for lot in seen["lots"]] == ["12.345658901"]
    assert [(k["key_id"], k["label"], k["usage_usd"]) for k in seen["keys"]] == [(key["key_id"], "demo", "0.00002")]
    statement = admin.get(f"{account}/statement").json()
    assert [line["cost_usd"] for line in statement["requests"]] == ["0.00002"]
    assert [line["burnt_usd"] for line in statement["lots"]] == ["0.00002"]
    assert statement["available_usd"] == "12.345658901"


def test_open_reservations_are_shown(house: House, admin: httpx.Client) -> None:
    house.hold_all_but("1")
    seen = admin.get(f"/admin/accounts/{house.account_id}").json()
    assert (seen["available_usd"], seen["posted_usd"], seen["held_usd"]) == ("1", "10", "9")
    assert [open_["amount_usd"] for open_ in seen["open_reservations"]] == ["9"]


def test_P5_a_grant_with_an_idempotency_key_is_made_once(house: House, admin: httpx.Client) -> None:
    path, key = f"/admin/accounts/{house.account_id}/grants", {"idempotency-key": "gift-1"}
    first, again = (admin.post(path, json=GRANT, headers=key) for _ in range(2))
    assert first.json() == again.json()
    assert len(house.happened(Granted)) == 2  # the house's own and this one
    other = admin.post(path, json={**GRANT, "amount_usd": "1"}, headers=key)
    assert (other.status_code, error_of(other.content)["code"]) == (409, "idempotency_key_reused")
    assert admin.post(path, json=GRANT).status_code == 201
    assert len(house.happened(Granted)) == 3


@pytest.mark.parametrize(
    ("change", "code", "param"),
    [
        ({"amount_usd": 5}, "invalid_request", "amount_usd"),
        ({"amount_usd": 12.5}, "invalid_request", "amount_usd"),
        ({"amount_usd": "0"}, "invalid_amount", "amount_usd"),
        ({"amount_usd": "-1"}, "invalid_amount", "amount_usd"),
        ({"amount_usd": "1e3"}, "invalid_amount", "amount_usd"),
        ({"amount_usd": "1.0000000001"}, "invalid_amount", "amount_usd"),
        ({"amount_usd": "NaN"}, "invalid_amount", "amount_usd"),
        ({"kind": "gift"}, "invalid_request", "kind"),
        ({"reason": "short"}, "invalid_request", "reason"),
        ({"priority": -1}, "invalid_request", "priority"),
        ({"priority": 10**30}, "invalid_request", "priority"),
        ({"expires_at": "2001-01-01T00:00:00Z"}, "invalid_expiry", "expires_at"),
        ({"expires_at": 5}, "invalid_request", "expires_at"),
        ({"amount": "5"}, "invalid_request", "amount"),
    ],
)
def test_a_bad_grant_is_refused_by_the_name_of_its_field(
    house: House, admin: httpx.Client, change: dict[str, Any], code: str, param: str
) -> None:
    answer = admin.post(f"/admin/accounts/{house.account_id}/grants", json={**GRANT, **change})
    error = error_of(answer.content)
    assert (answer.status_code, error["code"], error["param"]) == (400, code, param)
    assert len(house.happened(Granted)) == 1


@pytest.mark.parametrize("account", ["x", "00000000-0000-0000-0000-000000000000", "%00", "..%2Fx"])
def test_an_account_that_is_not_there_is_404(admin: httpx.Client, account: str) -> None:
    for answer in (
        admin.get(f"/admin/accounts/{account}"),
        admin.get(f"/admin/accounts/{account}/statement"),
        admin.post(f"/admin/accounts/{account}/grants", json=GRANT),
        admin.post(f"/admin/accounts/{account}/keys", json={"label": "x", "environment": "live"}),
    ):
        assert answer.status_code == 404


def test_usernames_and_emails_are_taken_once(admin: httpx.Client) -> None:
    taken = admin.post("/admin/accounts", json={"username": "ADA", "email": "new@example.com"})
    assert (taken.status_code, error_of(taken.content)["param"]) == (409, "username")
    wrong = admin.post("/admin/accounts", json={"username": "carl", "email": "nowhere"})
    assert (wrong.status_code, error_of(wrong.content)["param"]) == (400, "email")


def test_any_key_of_an_account_can_be_changed_rotated_and_deleted(
    house: House, admin: httpx.Client, served: Served
) -> None:
    keys = f"/admin/accounts/{house.account_id}/keys"
    asked = {
        "label": "theirs",
        "environment": "staging",
        "kind": "management",
        "limit_usd": "0.5",
        "limit_reset": "daily",
    }
    made = admin.post(keys, json=asked).json()
    key = f"{keys}/{made['key_id']}"
    assert made["api_key"].startswith("gw_staging_")
    changed = admin.patch(key, json={"label": "renamed", "limit_usd": None}).json()["data"]
    assert (changed["name"], changed["limit"], changed["kind"]) == ("renamed", None, "management")
    rotated = admin.post(f"{key}/rotate", json={"grace_s": 0}).json()["key"]
    with speaker(served, made["api_key"]) as old, speaker(served, rotated) as new:
        assert (old.get("/v1/key").status_code, new.get("/v1/key").status_code) == (401, 200)
        assert admin.delete(key).json() == {"deleted": True}
        assert new.get("/v1/key").status_code == 401
    assert admin.get(key).status_code == 404


def test_a_key_is_found_only_under_its_own_account(house: House, admin: httpx.Client) -> None:
    other = admin.post("/admin/accounts", json={"username": "eve", "email": "eve@example.com"}).json()["account_id"]
    made = admin.post(f"/admin/accounts/{other}/keys", json={"label": "hers", "environment": "live"}).json()
    key = f"/admin/accounts/{house.account_id}/keys/{made['key_id']}"
    for answer in (admin.get(key), admin.patch(key, json={"disabled": True}), admin.delete(key)):
        assert (answer.status_code, error_of(answer.content)["code"]) == (404, "key_not_found")


def test_only_the_admin_key_opens_these_doors(
    house: House, http: httpx.Client, manager: httpx.Client, stranger: httpx.Client
) -> None:
    path = f"/admin/accounts/{house.account_id}"
    assert stranger.get(path).status_code == 401
    assert stranger.get(path, headers={"authorization": "Bearer gw_admin_guess"}).status_code == 401
    for someone in (http, manager):
        answer = someone.post(f"{path}/grants", json=GRANT)
        assert (answer.status_code, error_of(answer.content)["code"]) == (403, "admin_key_required")


def test_the_admin_key_is_no_api_key(admin: httpx.Client) -> None:
    assert admin.get("/v1/credits").status_code == 401
