"""/v1/keys: OpenRouter's shape; any key looks, a management key changes."""

from typing import Any

import httpx
import pytest

from tests.adapters.http.conftest import speaker
from tests.adapters.http.house import MODEL, House, error_of
from tests.adapters.http.served import Served
from tests.fakes.scripted_providers import whole_answer

ASKED = {"model": MODEL, "messages": [{"role": "user", "content": "x"}]}


def issued(manager: httpx.Client, **asked: Any) -> dict[str, Any]:
    answer = manager.post("/v1/keys", json={"name": "new", **asked})
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


def test_a_new_key_shows_its_secret_once_and_works(house: House, manager: httpx.Client, served: Served) -> None:
    house.providers.answers[MODEL] = whole_answer()
    body = issued(manager, limit=1.5, limit_reset="monthly", expires_at="2099-01-01T00:00:00Z")
    data = body["data"]
    assert body["key"].startswith("gw_live_")
    assert (data["name"], data["label"]) == ("new", f"gw_live_...{body['key'][-4:]}")
    assert (data["limit"], data["limit_remaining"], data["limit_reset"]) == (1.5, 1.5, "monthly")
    assert data["expires_at"] == "2099-01-01T00:00:00Z"
    with speaker(served, body["key"]) as http:
        assert http.post("/v1/chat/completions", json=ASKED).status_code == 200
    listed = manager.get(f"/v1/keys/{data['hash']}")
    assert body["key"] not in listed.text
    assert listed.json()["data"]["usage"] == 0.00002


def test_P6_a_limit_keeps_every_digit(manager: httpx.Client) -> None:
    answer = manager.post(
        "/v1/keys",
        content=b'{"name":"exact","limit":123456789.123456789}',
        headers={"content-type": "application/json"},
    )
    assert '"limit":123456789.123456789,' in answer.text


def test_writes_answer_their_position(house: House, manager: httpx.Client) -> None:
    answer = manager.post("/v1/keys", json={"name": "new"})
    assert answer.headers["x-gatewayz-position"] == f"0-{len(house.ledger.log)}"


def test_keys_are_listed_page_by_page(manager: httpx.Client) -> None:
    hashes = [issued(manager, name=f"n{i}")["data"]["hash"] for i in range(3)]
    manager.patch(f"/v1/keys/{hashes[1]}", json={"disabled": True})
    names = [key["name"] for key in manager.get("/v1/keys").json()["data"]]
    assert names == ["first", "manager", "n0", "n1", "n2"]
    enabled = manager.get("/v1/keys", params={"offset": 2, "include_disabled": False}).json()["data"]
    assert [key["name"] for key in enabled] == ["n0", "n2"]


def test_a_change_touches_only_what_it_names(manager: httpx.Client) -> None:
    path = f"/v1/keys/{issued(manager, limit=5, limit_reset='daily')['data']['hash']}"
    assert manager.patch(path, json={"name": "renamed"}).json()["data"]["limit"] == 5
    changed = manager.patch(path, json={"limit": 7}).json()["data"]
    assert (changed["name"], changed["limit"], changed["limit_reset"]) == ("renamed", 7, "daily")
    assert manager.patch(path, json={"limit_reset": None}).json()["data"]["limit_reset"] is None
    removed = manager.patch(path, json={"limit": None}).json()["data"]
    assert (removed["limit"], removed["limit_remaining"]) == (None, None)


def test_a_disabled_key_is_refused_until_it_is_enabled(house: House, manager: httpx.Client, served: Served) -> None:
    house.providers.answers[MODEL] = whole_answer()
    body = issued(manager)
    path = f"/v1/keys/{body['data']['hash']}"
    with speaker(served, body["key"]) as http:
        manager.patch(path, json={"disabled": True})
        assert error_of(http.get("/v1/key").content)["code"] == "api_key_disabled"
        manager.patch(path, json={"disabled": False})
        assert http.get("/v1/key").status_code == 200


def test_a_deleted_key_is_gone_and_its_name_is_free(manager: httpx.Client, served: Served) -> None:
    body = issued(manager)
    path = f"/v1/keys/{body['data']['hash']}"
    assert manager.delete(path).json() == {"deleted": True}
    with speaker(served, body["key"]) as http:
        assert http.get("/v1/key").status_code == 401
    for answer in (manager.get(path), manager.delete(path), manager.patch(path, json={})):
        assert (answer.status_code, error_of(answer.content)["code"]) == (404, "key_not_found")
    issued(manager)


def test_a_rotated_key_keeps_its_name_and_opens_with_both_secrets_for_a_while(
    manager: httpx.Client, served: Served
) -> None:
    body = issued(manager)
    path = f"/v1/keys/{body['data']['hash']}/rotate"
    rotated = manager.post(path).json()
    assert rotated["data"]["hash"] == body["data"]["hash"]
    with speaker(served, body["key"]) as old, speaker(served, rotated["key"]) as new:
        assert old.get("/v1/key").status_code == new.get("/v1/key").status_code == 200
        manager.post(path, json={"grace_s": 0})
        assert new.get("/v1/key").status_code == 401


@pytest.mark.parametrize(
    ("body", "status", "code", "param"),
    [
        ({}, 400, "invalid_request", "name"),
        ({"name": 5}, 400, "invalid_request", "name"),
        ({"name": ""}, 400, "invalid_request", "label"),
        ({"name": "first"}, 409, "claim_taken", "label"),
        ({"name": "x", "limit": -1}, 400, "invalid_amount", "limit"),
        ({"name": "x", "limit": "5"}, 400, "invalid_amount", "limit"),
        ({"name": "x", "limit": 1e-10}, 400, "invalid_amount", "limit"),
        ({"name": "x", "limit": 1, "limit_reset": "hourly"}, 400, "invalid_request", "limit_reset"),
        ({"name": "x", "limit_reset": "daily"}, 400, "invalid_request", "limit_reset"),
        ({"name": "x", "expires_at": "tomorrow"}, 400, "invalid_request", "expires_at"),
        ({"name": "x", "expires_at": "2099-01-01T00:00:00"}, 400, "invalid_request", "expires_at"),
        ({"name": "x", "environment": "moon"}, 400, "invalid_request", "environment"),
    ],
)
def test_a_bad_new_key_is_refused_by_the_name_of_its_field(
    manager: httpx.Client, body: dict[str, Any], status: int, code: str, param: str
) -> None:
    answer = manager.post("/v1/keys", json=body)
    error = error_of(answer.content)
    assert (answer.status_code, error["code"], error["param"]) == (status, code, param)


@pytest.mark.parametrize("grace_s", [-1, 10**9, 1.5, "x"])
def test_a_grace_has_its_bounds(manager: httpx.Client, grace_s: Any) -> None:
    path = f"/v1/keys/{issued(manager)['data']['hash']}/rotate"
    answer = manager.post(path, json={"grace_s": grace_s})
    assert (answer.status_code, error_of(answer.content)["param"]) == (400, "grace_s")


def test_an_inference_key_looks_but_does_not_touch(house: House, http: httpx.Client, manager: httpx.Client) -> None:
    key_hash = issued(manager)["data"]["hash"]
    assert http.get("/v1/keys").status_code == http.get(f"/v1/keys/{key_hash}").status_code == 200
    for answer in (
        http.post("/v1/keys", json={"name": "mine"}),
        http.patch(f"/v1/keys/{key_hash}", json={"disabled": True}),
        http.delete(f"/v1/keys/{key_hash}"),
        http.post(f"/v1/keys/{key_hash}/rotate"),
    ):
        assert (answer.status_code, error_of(answer.content)["code"]) == (403, "management_key_required")


@pytest.mark.parametrize("key_hash", ["x", "..%2F", "00000000-0000-0000-0000-000000000000", "%00", "é"])
def test_a_hash_of_no_key_is_404(manager: httpx.Client, key_hash: str) -> None:
    assert manager.get(f"/v1/keys/{key_hash}").status_code == 404
