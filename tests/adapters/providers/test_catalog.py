"""What is on sale, from whom, in which order, at which price."""

from datetime import date
from importlib.metadata import version

import pytest

from adapters.outbound.providers.offers.load_catalog import key_names, load_catalog
from adapters.outbound.providers.offers.offers_of_genai_prices import CHECKED_VERSION
from domain.pricing.usage import Unit

TODAY = date(2026, 11, 22)
EVERY_KEY = dict.fromkeys(key_names(None), "sk-test")


def prices_of(model: str, provider: str, on: date = TODAY) -> dict[Unit, int]:
    offers = load_catalog(None, EVERY_KEY, None, on=on).offers_of(model)
    (prices,) = [offer.prices for offer in offers if offer.provider == provider]
    assert prices is not None
    return dict(prices.tiers[0].nusd_per_munit)


def test_only_providers_with_a_key_are_offered() -> None:
    assert load_catalog(None, {}, None, on=TODAY).models() == ()
    assert load_catalog(None, {"OPENAI_API_KEY": ""}, None, on=TODAY).models() == ()
    catalog = load_catalog(None, {"GROQ_API_KEY": "sk"}, None, on=TODAY)
    assert {offer.provider for offer in catalog.models()} == {"groq"}


def test_prices_are_read_exactly_from_genai_prices() -> None:
    assert prices_of("openai/gpt-4o-mini", "openai") == {
        "input": 150_000_000,
        "cached_input": 75_000_000,
        "output": 600_000_000,
    }


def test_an_announced_price_counts_from_its_day() -> None:
    assert prices_of("openai/o3", "openai", date(2025, 6, 9))["input"] == 10_000_000_000
    assert prices_of("openai/o3", "openai", date(2025, 6, 10))["input"] == 2_000_000_000


def test_a_price_tells_where_it_is_from_and_when_it_was_checked() -> None:
    (offer,) = load_catalog(None, {"OPENAI_API_KEY": "sk"}, None, on=TODAY).offers_of("gpt-4o-mini")
    assert offer.prices is not None
    assert offer.prices.version == "genai-prices-0.2.3/openai/gpt-4o-mini#57ea8bc6ab4aa1b4"
    assert offer.prices.source == "genai-prices 0.2.3 (checked 2026-11-22)"


def test_the_figures_of_the_installed_genai_prices_were_looked_at() -> None:
    assert version("genai-prices") == CHECKED_VERSION


def test_tiers_by_context_length_are_kept() -> None:
    (offer,) = load_catalog(None, {"OPENAI_API_KEY": "sk"}, None, on=TODAY).offers_of("openai/gpt-5.4")
    assert offer.prices is not None
    assert offer.prices.tier_for(272_000).price_of("input") == 2_500_000_000
    assert offer.prices.tier_for(272_001).price_of("input") == 5_000_000_000


def test_offers_of_one_model_come_in_the_order_of_the_registry_and_unpriced_last() -> None:
    offers = load_catalog(None, EVERY_KEY, None, on=TODAY).offers_of("meta-llama/llama-3.3-70b-instruct")
    assert [offer.provider for offer in offers] == ["openrouter", "groq", "together", "deepinfra"]
    assert offers[-1].prices is None


@pytest.mark.parametrize(
    "model", ["openai/gpt-4o-mini:free", "gpt-4o-mini:free", "openai/gpt-4o:batch", "nobody/nothing", ""]
)
def test_a_suffix_typed_by_a_client_proves_nothing(model: str) -> None:
    assert load_catalog(None, EVERY_KEY, None, on=TODAY).offers_of(model) == ()


def test_a_bare_slug_names_a_model_if_only_one_has_it() -> None:
    catalog = load_catalog(None, EVERY_KEY, "http://127.0.0.1:9/v1", on=TODAY)
    assert catalog.offers_of("gpt-4o-mini")[0].model == "openai/gpt-4o-mini"
    assert catalog.offers_of("echo")[0].model == "sandbox/echo"


@pytest.mark.parametrize(
    "native",
    [
        "text-embedding-3-small",
        "whisper-1",
        "tts-1",
        "gpt-image-1",
        "gpt-4o-realtime-preview",
        "gpt-3.5-turbo-instruct",
    ],
)
def test_what_is_not_chat_is_not_offered(native: str) -> None:
    assert load_catalog(None, {"OPENAI_API_KEY": "sk"}, None, on=TODAY).offers_of(f"openai/{native}") == ()


def test_a_model_whose_prices_cannot_be_told_in_our_units_is_unpriced_never_cheaper() -> None:
    catalog = load_catalog(None, {"OPENROUTER_API_KEY": "sk"}, None, on=TODAY)
    (offer,) = catalog.offers_of("google/gemini-2.5-flash")  # audio input has a price of its own
    assert offer.prices is None


def test_every_price_is_above_zero_or_free_and_every_answer_fits_its_context() -> None:
    for offer in load_catalog(None, EVERY_KEY, "http://127.0.0.1:9/v1", on=TODAY).models():
        assert 0 < offer.max_output_tokens < offer.context_length
        if offer.prices is not None and not offer.prices.is_free:
            assert any(any(tier.nusd_per_munit.values()) for tier in offer.prices.tiers)
        if offer.prices is not None:
            assert offer.prices.tiers[0].price_of("input") is not None
            assert offer.prices.tiers[0].price_of("output") is not None


def test_models_are_listed_once_by_id() -> None:
    listed = [offer.model for offer in load_catalog(None, EVERY_KEY, None, on=TODAY).models()]
    assert listed == sorted(set(listed))


def test_the_sandbox_sells_a_small_model_a_request_a_free_and_an_unpriced_one() -> None:
    catalog = load_catalog(None, {}, "http://127.0.0.1:9/v1", on=TODAY)
    echo, request, free, unpriced = (
        catalog.offers_of(f"sandbox/{name}")[0].prices for name in ("echo", "per-request", "free", "unpriced")
    )
    assert echo is not None and echo.tiers[0].nusd_per_munit == {"input": 150_000_000, "output": 600_000_000}
    assert request is not None and request.tiers[0].nusd_per_munit == {"input": 0, "output": 0, "request": 10**13}
    assert free is not None and free.is_free
    assert unpriced is None


def test_of_the_sandboxs_models_those_that_misbehave_are_not_listed_and_answer_by_name() -> None:
    catalog = load_catalog(None, {}, "http://127.0.0.1:1", on=TODAY)
    listed = [offer.model for offer in catalog.models() if offer.listed]
    assert listed == ["sandbox/echo", "sandbox/free", "sandbox/per-request", "sandbox/slow"]
    assert catalog.offers_of("sandbox/malformed")
    assert not catalog.offers_of("sandbox/malformed")[0].listed


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("sandbox/ehco", "sandbox/echo"),
        ("Sandbox/Echo", "sandbox/echo"),
        ("ecko", "sandbox/echo"),
        ("gpt-4o-mni", "openai/gpt-4o-mini"),
        ("openai/gpt4o-mini", "openai/gpt-4o-mini"),
    ],
)
def test_a_misspelt_model_has_a_nearest_one(typed: str, meant: str) -> None:
    catalog = load_catalog(None, {"OPENAI_API_KEY": "sk"}, "http://127.0.0.1:1", on=TODAY)
    nearest = catalog.nearest(typed)
    assert nearest[0] == meant
    assert len(nearest) <= 3


def test_what_is_nothing_like_a_model_has_none_and_what_is_not_listed_is_not_proposed() -> None:
    catalog = load_catalog(None, {}, "http://127.0.0.1:1", on=TODAY)
    assert list(catalog.nearest("something-else-entirely")) == []
    assert list(catalog.nearest("sandbox/malformd")) == []
