"""What is charged beyond all credit is owed and seen; what nobody pays is written down and bounded."""

import httpx
import msgspec

from tests.adapters.http.house import MODEL, House
from tests.fakes.scripted_providers import whole_answer

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
    assert admin.get(account).json()["owed_usd"] == "0.001"
    reason = {"reason": "for the tests, as ever"}
    gift = admin.post(f"{account}/grants", json={"amount_usd": "1", "kind": "promo", **reason})
    assert (gift.status_code, gift.json()["available_usd"]) == (201, "1")
    assert admin.get(account).json()["owed_usd"] == "0.001"
    bought = admin.post(f"{account}/grants", json={"amount_usd": "5", "kind": "purchased", **reason})
    assert bought.json()["available_usd"] == "5.999"
    assert admin.get(account).json()["owed_usd"] == "0"
    assert http.get("/v1/credits").json()["data"]["total_usage"] == 0.002


def test_a_shortfall_is_told_to_the_operator_with_what_is_owed(house: House, http: httpx.Client) -> None:
    overdrawn(house, http)
    assert house.telemetry.owed == [(house.account_id, 1_000_000, 1_000_000)]
