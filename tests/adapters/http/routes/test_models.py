"""/v1/models: prices in USD per token, exact; only what can be called is listed."""

from urllib.parse import quote

import httpx
import msgspec
import pytest

from adapters.inbound.http.routes.models import shown
from domain.pricing.price import PriceSet, PriceTier
from tests.adapters.http.house import FLAT, MODEL, PER_TOKEN, UNPRICED, House, offer
from tests.fakes.scripted_providers import ScriptedProviders


def test_the_list_is_public_and_openai_shaped(stranger: httpx.Client) -> None:
    listed = stranger.get("/v1/models").json()
    assert listed["object"] == "list"
    assert [(model["id"], model["object"], model["owned_by"]) for model in listed["data"]] == [
        (FLAT, "model", "acme"),
        (MODEL, "model", "acme"),
    ]


def test_one_model_has_openrouters_members(stranger: httpx.Client) -> None:
    model = stranger.get(f"/api/v1/models/{MODEL}").json()
    assert (model["name"], model["created"], model["context_length"]) == (f"Acme {MODEL}", 1_700_000_000, 8_192)
    assert model["top_provider"] == {
        "context_length": 8_192,
        "max_completion_tokens": 1_024,
        "is_moderated": False,
    }
    assert model["architecture"]["modality"] == "text->text"


def test_P6_prices_are_strings_per_token_with_all_their_digits(stranger: httpx.Client) -> None:
    assert stranger.get(f"/v1/models/{MODEL}").json()["pricing"] == {
        "prompt": "0.000001",
        "completion": "0.000002",
        "request": "0",
        "image": "0",
        "input_cache_read": "0.0000005",
        "input_cache_write": "0.000001",
        "internal_reasoning": "0.000002",
    }
    assert stranger.get(f"/v1/models/{FLAT}").json()["pricing"]["request"] == "0.001"


def test_the_smallest_price_is_not_rounded_away() -> None:
    prices = PriceSet("p", (PriceTier(0, {"input": 1, "output": 123_456_789_012_345}),))
    pricing = shown(offer("acme/tiny", prices), prices, ScriptedProviders()).pricing
    assert (pricing.prompt, pricing.completion) == ("0.000000000000001", "0.123456789012345")


def test_every_tier_is_listed() -> None:
    prices = PriceSet("p", (PriceTier(0, {"input": 10**9}), PriceTier(200_000, {"input": 2 * 10**9})))
    tiers = shown(offer("acme/tiered", prices), prices, ScriptedProviders()).pricing_tiers
    assert [(tier.above_input_tokens, tier.pricing.prompt) for tier in tiers] == [
        (0, "0.000001"),
        (200_000, "0.000002"),
    ]


def test_a_model_without_a_price_is_not_on_sale(stranger: httpx.Client) -> None:
    answer = stranger.get(f"/v1/models/{UNPRICED}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "model_not_found")


def test_a_parameter_that_is_dropped_is_not_listed_as_supported(house: House, stranger: httpx.Client) -> None:
    house.providers.drops = {"acme": frozenset({"logit_bias", "service_tier"})}
    supported = stranger.get(f"/v1/models/{MODEL}").json()["supported_parameters"]
    assert "temperature" in supported
    assert "logit_bias" not in supported


def test_a_model_that_is_not_listed_is_shown_when_asked_for(house: House, stranger: httpx.Client) -> None:
    house.catalog.add(msgspec.structs.replace(offer("acme/hidden", PER_TOKEN), listed=False))
    assert "acme/hidden" not in {model["id"] for model in stranger.get("/v1/models").json()["data"]}
    assert "acme/hidden" in {model["id"] for model in stranger.get("/v1/models?unlisted=true").json()["data"]}
    assert stranger.get("/v1/models/acme/hidden").status_code == 200


def test_an_unknown_model_is_told_with_the_nearest_ones(stranger: httpx.Client, http: httpx.Client) -> None:
    asked = {"model": "acme/flatt", "messages": [{"role": "user", "content": "x"}]}
    for answer in (stranger.get("/v1/models/acme/flatt"), http.post("/v1/chat/completions", json=asked)):
        error = answer.json()["error"]
        assert (answer.status_code, error["metadata"]["nearest"][0]) == (404, FLAT)
        assert f"Did you mean {FLAT}" in error["message"]
    assert "GET /v1/models" in stranger.get("/v1/models/nothing/like-it").json()["error"]["message"]


@pytest.mark.parametrize("prefix", ["/v1", "/api/v1"])
def test_every_listed_id_is_found_as_it_is_encoded_and_by_its_short_name(
    house: House, stranger: httpx.Client, prefix: str
) -> None:
    house.catalog.add(offer("acme/vendor/deep-model", PER_TOKEN))
    listed = [model["id"] for model in stranger.get(f"{prefix}/models").json()["data"]]
    assert "acme/vendor/deep-model" in listed
    for model in listed:
        for spelling in (model, quote(model, safe=""), model.partition("/")[2]):
            assert stranger.get(f"{prefix}/models/{spelling}").json()["id"] == model, spelling


@pytest.mark.parametrize("unknown", ["gpt-4o", "acme/none", "a/b/c/d", "acme%2Fnone"])
def test_whatever_is_no_model_is_model_not_found(stranger: httpx.Client, unknown: str) -> None:
    answer = stranger.get(f"/v1/models/{unknown}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "model_not_found")
