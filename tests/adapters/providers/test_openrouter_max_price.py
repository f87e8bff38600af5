"""A client that chooses its upstream gets none that costs more than our price (attack 24)."""

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from adapters.outbound.providers.dialects.openai import dropped, write_request
from adapters.outbound.providers.offers.load_catalog import load_catalog
from application.generate.request.members import members_of
from domain.pricing.price import PriceSet, PriceTier
from tests.adapters.providers.call_words import HELLO, a_call, an_endpoint, an_offer
from tests.adapters.providers.test_providers_file import TODAY

PRICES = PriceSet(
    "v1",
    (
        PriceTier(0, {"input": 150_000_000, "output": 600_000_000, "request": 2 * 10**12 + 500_000, "image": 10**13}),
        PriceTier(100_000, {"input": 300_000_000, "output": 1_200_000_000}),
    ),
)
OURS = {"prompt": 0.15, "completion": 0.6, "request": 0.0020000005, "image": 0.01}
PINNING = replace(an_endpoint(extras=("provider",)), pins_max_price=True)


def sent(body: dict[str, Any] | bytes, prices: PriceSet = PRICES, **how: Any) -> dict[str, Any]:
    call = a_call(offer=replace(an_offer(), prices=prices))
    raw = body if isinstance(body, bytes) else msgspec.json.encode({**HELLO, **body})
    call = replace(call, members=members_of(raw))
    written = write_request(call, how.get("endpoint", PINNING), streaming=False)
    assert written.count(b'"provider":') <= 1, "which of two counts is anybody's guess"
    return msgspec.json.decode(written, type=dict[str, Any])


def bound(max_price: Any) -> Any:
    return sent({"provider": {"max_price": max_price}})["provider"]["max_price"]


@pytest.mark.parametrize("provider", [{}, {"provider": None}, {"provider": {}}, {"provider": 7}, {"provider": []}])
def test_our_price_is_the_bound_where_the_client_has_none(provider: dict[str, Any]) -> None:
    assert sent(provider)["provider"] == {"max_price": OURS}


def test_other_wishes_stay() -> None:
    wishes = {"order": ["dear-upstream"], "allow_fallbacks": False, "sort": "throughput"}
    assert sent({"provider": wishes})["provider"] == {**wishes, "max_price": OURS}


def test_a_lower_price_of_the_client_stays_and_a_higher_one_does_not() -> None:
    assert bound({"prompt": 0.1, "completion": 99}) == {**OURS, "prompt": 0.1}
    assert bound({"prompt": "0.1", "completion": "0.7", "audio": 3}) == {**OURS, "prompt": "0.1", "audio": 3}
    assert bound({"prompt": 0.15, "completion": 0}) == {**OURS, "completion": 0}


@pytest.mark.parametrize("absurd", [None, -1, "NaN", "Infinity", "-0.1", "much", [], {}, True, 1e300, ""])
def test_what_is_no_price_is_ours(absurd: Any) -> None:
    assert bound({"prompt": absurd}) == OURS
    assert bound(absurd) == OURS


def test_of_two_members_none_passes_as_it_came() -> None:
    twice = b'{"messages":[],"provider":{"order":["a"]},"provider":{"order":["b"],"max_price":{"prompt":9}}}'
    assert sent(twice)["provider"] == {"order": ["b"], "max_price": OURS}
    inside = b'{"messages":[],"provider":{"max_price":{"prompt":0.1},"max_price":{"prompt":9,"prompt":8}}}'
    assert sent(inside)["provider"] == {"max_price": OURS}


def test_a_price_per_token_alone_allows_none_per_request() -> None:
    free = PriceSet("f", (PriceTier(0, {"input": 0, "output": 0}),), is_free=True)
    assert sent({}, free)["provider"] == {"max_price": {"prompt": 0, "completion": 0, "request": 0}}


def test_only_rows_that_say_so_are_pinned() -> None:
    assert "provider" not in sent({}, endpoint=an_endpoint(extras=("provider",)))
    without_extra = replace(PINNING, extras=frozenset())
    assert sent({"provider": {"order": ["a"]}}, endpoint=without_extra)["provider"] == {"max_price": OURS}
    assert dropped(["provider"], without_extra) == ("provider",)


def test_openrouters_row_is_pinned() -> None:
    endpoints = load_catalog(None, {"OPENROUTER_API_KEY": "k", "GROQ_API_KEY": "k"}, None, on=TODAY).endpoints
    assert (endpoints["openrouter"].pins_max_price, endpoints["groq"].pins_max_price) == (True, False)
