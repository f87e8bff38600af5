"""What is charged beyond all credit is owed and seen; what nobody pays is written down and bounded."""

import httpx
import msgspec
import pytest

from domain.credit.events import Settled
from domain.money import format_usd
from tests.adapters.http.house import MODEL, PER_TOKEN, House, error_of, offer
from tests.fakes.scripted_providers import failure, text_chunk, whole_answer

ASKED = {"model": MODEL, "max_tokens": 16, "messages": [{"role": "user", "content": "x"}]}


def overdrawn(house: House, http: httpx.Client) -> None:
    """An answer of $0.002 on $0.001 of credit."""
    house.hold_all_but("0.001")
    house.providers.answers[MODEL] = whole_answer(usage={"input": 2, "output": 999})
    usage = msgspec.json.decode(http.post("/v1/chat/completions", json=ASKED).content)["usage"]
    assert (usage["cost"], usage["cost_details"]["shortfall"]) == (0.001, 0.001)


def test_p6_a_shortfall_is_shown_as_owed_and_paid_by_the_next_purchase(
    house: House, http: httpx.Client, admin: httpx.Client
) -> None:
    overdrawn(house, http)
    account = f"/admin/accounts/{house.account_id}"
    check_owed(house, http, admin, "0.001")
    reason = {"reason": "for the tests, as ever"}
    gift = admin.post(f"{account}/grants", json={"amount_usd": "1", "kind": "promo", **reason})
    assert (gift.status_code, gift.json()["available_usd"]) == (201, "1")
    check_owed(house, http, admin, "0.001")
    bought = admin.post(f"{account}/grants", json={"amount_usd": "5", "kind": "purchased", **reason})
    assert bought.json()["available_usd"] == "5.999"
    check_owed(house, http, admin, "0")
    assert http.get("/v1/credits").json()["data"]["total_usage"] == 0.002


def check_owed(house: House, http: httpx.Client, admin: httpx.Client, usd: str) -> None:
    """The customer and the admin see the same."""
    account = f"/admin/accounts/{house.account_id}"
    told = [http.get(f"{tree}/credits").json()["data"]["owed_usd"] for tree in ("/v1", "/api/v1")]
    told += [admin.get(path).json()["owed_usd"] for path in (account, f"{account}/statement")]
    assert told == [usd] * 4


def test_a_shortfall_is_told_to_the_operator_with_what_is_owed(house: House, http: httpx.Client) -> None:
    overdrawn(house, http)
    assert house.telemetry.owed == [(house.account_id, 1_000_000, 1_000_000)]


UNREAD_BYTES = 40_000_000


@pytest.mark.parametrize("streamed", [False, True])
def test_p1_an_answer_too_large_to_pass_on_is_charged_and_no_other_provider_is_asked(
    house: House, http: httpx.Client, streamed: bool
) -> None:
    second = msgspec.structs.replace(offer(MODEL, PER_TOKEN), provider="second")
    house.catalog.add(second)
    too_large = failure("answer_too_large", 200, unread_bytes=UNREAD_BYTES)
    house.providers.answers[MODEL], house.providers.streams[MODEL] = too_large, [too_large]
    answer = http.post("/v1/chat/completions", json=ASKED | {"stream": streamed})
    error = error_of(answer.content)
    assert (answer.status_code, error["code"]) == (502, "answer_too_large")
    assert answer.headers["x-should-retry"] == "false"
    (settled,) = house.happened(Settled)
    assert error["metadata"]["cost_usd"] == format_usd(settled.paid_nusd)
    assert (settled.generation.usage["output"], settled.shortfall_nusd) == (16, 0)
    assert (settled.generation.estimated, settled.generation.error_class) == (True, "answer_too_large")
    assert len(house.providers.calls) == 1
    assert not house.credit.reservations


def test_p1_an_event_too_large_behind_an_empty_first_chunk_is_charged(house: House, http: httpx.Client) -> None:
    house.providers.streams[MODEL] = [text_chunk(""), failure("event_too_large", 200, unread_bytes=UNREAD_BYTES)]
    assert '"code":"event_too_large"' in http.post("/v1/chat/completions", json=ASKED | {"stream": True}).text
    (settled,) = house.happened(Settled)
    assert (settled.generation.usage["output"], settled.generation.estimated) == (16, True)
