"""Idempotency-Key on generations: the first result again, charged once (docs/reference/rules.md#idempotency)."""

import threading

import httpx

from domain.credit.events import Settled
from tests.adapters.http.conftest import speaker
from tests.adapters.http.eventually import eventually
from tests.adapters.http.house import MODEL, House, error_of
from tests.adapters.http.served import Served
from tests.fakes.scripted_providers import Stop, failure, streamed_answer, whole_answer

PATH = "/v1/chat/completions"
ASKED = {"model": MODEL, "messages": [{"role": "user", "content": "x"}]}
KEY = {"idempotency-key": "once"}


def test_P5_a_repeated_request_gets_the_first_answer_and_one_charge(house: House, http: httpx.Client) -> None:
    house.providers.answers[MODEL] = whole_answer("first")
    first = http.post(PATH, json=ASKED, headers=KEY)
    house.providers.answers[MODEL] = whole_answer("second")
    again = http.post(PATH, json=ASKED, headers=KEY)
    assert again.content == first.content
    assert again.headers["x-generation-id"] == first.headers["x-generation-id"]
    assert len(house.happened(Settled)) == 1


def test_P5_so_does_a_stream_also_under_the_other_prefix(house: House, http: httpx.Client) -> None:
    house.providers.streams[MODEL] = streamed_answer("Hel", "lo")
    first = http.post(PATH, json={**ASKED, "stream": True}, headers=KEY)
    again = http.post(f"/api{PATH}", json={**ASKED, "stream": True}, headers=KEY)
    assert again.text == first.text
    assert len(house.happened(Settled)) == 1


def test_the_key_with_another_body_is_409(house: House, http: httpx.Client) -> None:
    house.providers.answers[MODEL] = whole_answer()
    http.post(PATH, json=ASKED, headers=KEY)
    other = http.post(PATH, json={**ASKED, "user": "someone"}, headers=KEY)
    assert (other.status_code, error_of(other.content)["code"]) == (409, "idempotency_key_reused")


def test_a_request_still_running_is_409_with_retry_after(house: House, http: httpx.Client) -> None:
    stop = Stop()
    house.providers.answers[MODEL] = stop
    running = threading.Thread(target=lambda: http.post(PATH, json=ASKED, headers=KEY))
    running.start()
    eventually(lambda: stop.is_reached)
    early = http.post(PATH, json=ASKED, headers=KEY)
    stop.may_go_on = True
    running.join()
    assert (early.status_code, error_of(early.content)["code"]) == (409, "request_in_progress")
    assert early.headers["retry-after"] == "1"
    assert http.post(PATH, json=ASKED, headers=KEY).status_code == 200
    assert len(house.happened(Settled)) == 1


def test_a_request_that_failed_leaves_its_key_free(house: House, http: httpx.Client) -> None:
    house.providers.answers[MODEL] = failure()
    assert http.post(PATH, json=ASKED, headers=KEY).status_code == 502
    house.providers.answers[MODEL] = whole_answer()
    assert http.post(PATH, json=ASKED, headers=KEY).status_code == 200


def test_an_answer_no_longer_kept_is_409_and_names_the_charge(house: House, http: httpx.Client) -> None:
    house.providers.answers[MODEL] = whole_answer()
    first = http.post(PATH, json=ASKED, headers=KEY)
    house.ledger.forget_answers()
    error = error_of(http.post(PATH, json=ASKED, headers=KEY).content)
    assert error["code"] == "answer_not_kept"
    assert first.headers["x-generation-id"] in error["message"]
    assert first.headers["x-gatewayz-cost"] in error["message"]


def test_beyond_an_accounts_share_an_answer_is_charged_and_served_and_not_kept(served: Served) -> None:
    house = House(kept_bytes_of_account=2_000)
    served.app = house.app
    house.providers.answers[MODEL] = whole_answer()
    with speaker(served, house.key) as http:
        first = [http.post(PATH, json=ASKED, headers={"idempotency-key": str(n)}) for n in range(12)]
        again = [http.post(PATH, json=ASKED, headers={"idempotency-key": str(n)}) for n in range(12)]
    assert {answer.status_code for answer in first} == {200}
    assert len(house.happened(Settled)) == 12
    kept = [answer.status_code == 200 for answer in again]
    assert kept[0]
    assert not kept[-1]
    assert {error_of(answer.content)["code"] for answer in again if answer.status_code != 200} == {"answer_not_kept"}


def test_many_attempts_that_failed_are_not_walked_one_by_one(house: House, http: httpx.Client) -> None:
    house.providers.answers[MODEL] = failure()
    for _ in range(120):
        assert http.post(PATH, json=ASKED, headers=KEY).status_code == 502
    house.providers.answers[MODEL] = whole_answer()
    before = house.ledger.asked
    assert http.post(PATH, json=ASKED, headers=KEY).status_code == 200
    assert house.ledger.asked - before <= 10
    assert len(house.happened(Settled)) == 1
