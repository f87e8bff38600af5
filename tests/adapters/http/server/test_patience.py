"""Admin and key routes answer in time although the ledger waits for its database without a bound."""

import json
import socket
import time

import httpx
import pytest

from adapters.inbound.http.gateway import Limits
from domain.account.account import ChangeState
from domain.credit.commands import Grant
from domain.credit.events import Granted
from tests.adapters.http.eventually import eventually
from tests.adapters.http.house import ADMIN_KEY, House, error_of
from tests.adapters.http.served import Served

IMPATIENT = Limits(patience_s=0.1)
GRANT = {"amount_usd": "1", "kind": "promo", "reason": "goodwill for testing"}


@pytest.fixture
def house(served: Served) -> House:
    house = House(limits=IMPATIENT)
    served.app = house.app
    return house


def test_a_command_that_the_ledger_does_not_answer_is_503_with_retry_after(house: House, admin: httpx.Client) -> None:
    house.ledger.held_back = {ChangeState}
    body = {"state": "suspended", "reason": "abuse reported"}
    answer = admin.post(f"/admin/accounts/{house.account_id}/state", json=body)
    assert (answer.status_code, error_of(answer.content)["code"]) == (503, "ledger_unavailable")
    assert answer.headers["retry-after"] == "1"
    assert house.telemetry.refusals["ledger_unavailable"] == 1


def test_P5_whoever_repeats_a_grant_that_was_recorded_after_all_gets_it_once(house: House, admin: httpx.Client) -> None:
    path, key = f"/admin/accounts/{house.account_id}/grants", {"idempotency-key": "gift"}
    house.ledger.held_back = {Grant}
    assert admin.post(path, json=GRANT, headers=key).status_code == 503
    house.ledger.held_back = set()
    assert admin.post(path, json=GRANT, headers=key).status_code == 201
    assert admin.post(path, json=GRANT, headers=key).status_code == 201
    assert len(house.happened(Granted)) == 2  # the house's own and this one


def test_the_time_that_a_client_takes_for_its_body_does_not_count(house: House, served: Served) -> None:
    body = json.dumps(GRANT).encode()
    head = (
        f"POST /admin/accounts/{house.account_id}/grants HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        f"authorization: Bearer {ADMIN_KEY}\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", served.port), timeout=5) as connection:
        connection.sendall(head.encode() + body[:5])
        time.sleep(0.3)
        connection.sendall(body[5:])
        assert connection.recv(65_536).startswith(b"HTTP/1.1 201")


def test_a_timeout_of_somebody_else_is_a_fault_and_not_the_ledgers(house: House, admin: httpx.Client) -> None:
    house.ledger.failing = {Grant: TimeoutError()}
    answer = admin.post(f"/admin/accounts/{house.account_id}/grants", json=GRANT)
    assert error_of(answer.content)["code"] == "internal_error"
    eventually(lambda: house.telemetry.refusals["internal_error"])
