"""The operator's providers file: what it can say, and how a mistake is named."""

from datetime import date
from pathlib import Path

import pytest

from adapters.outbound.providers.offers.catalog import ProviderCatalog
from adapters.outbound.providers.offers.load_catalog import key_names, load_catalog
from adapters.outbound.providers.offers.read_rows import ProvidersFileInvalid

TODAY = date(2026, 11, 22)

ACME = """
[providers.acme]
base_url = "https://api.acme.com/v1/"
api_key = "sk-acme"
"""

MODEL = """
[[providers.acme.models]]
id = "acme/m"
native_id = "m"
"""


def loaded(tmp_path: Path, text: str, keys: dict[str, str] | None = None) -> ProviderCatalog:
    file = tmp_path / "providers.toml"
    file.write_text(text)
    return load_catalog(file, keys or {}, None, on=TODAY)


def test_a_model_is_offered_at_its_price_and_limits(tmp_path: Path) -> None:
    model = MODEL + 'price = {input = "0.15", output = "0.60"}\ncontext_length = 32000\nmax_output_tokens = 4000'
    (offer,) = loaded(tmp_path, ACME + model).offers_of("acme/m")
    assert (offer.provider, offer.native_id, offer.context_length, offer.max_output_tokens) == (
        "acme",
        "m",
        32000,
        4000,
    )
    assert offer.prices is not None
    assert offer.prices.tiers[0].nusd_per_munit == {"input": 150_000_000, "output": 600_000_000}
    assert offer.cost_prices == offer.prices


def test_cost_may_differ_from_price_and_may_be_zero(tmp_path: Path) -> None:
    model = MODEL + 'price = {input = "1", output = "1"}\ncost = {input = "0", output = "0"}'
    (offer,) = loaded(tmp_path, ACME + model).offers_of("acme/m")
    assert offer.cost_prices is not None
    assert offer.cost_prices.tiers[0].nusd_per_munit == {"input": 0, "output": 0}
    assert offer.prices is not None
    assert not offer.prices.is_free


def test_a_model_that_reasons_says_how_fast(tmp_path: Path) -> None:
    thinking = MODEL.replace('"acme/m"', '"acme/thinks"') + "reasoning_tokens_per_s = 60"
    catalog = loaded(tmp_path, ACME + MODEL + thinking)
    speeds = [catalog.offers_of(model)[0].reasoning_tokens_per_s for model in ("acme/thinks", "acme/m")]
    assert speeds == [60, None]


def test_a_model_without_a_price_is_known_but_unpriced(tmp_path: Path) -> None:
    (offer,) = loaded(tmp_path, ACME + MODEL).offers_of("acme/m")
    assert offer.prices is None


def test_the_key_may_come_from_the_environment(tmp_path: Path) -> None:
    text = '[providers.acme]\nbase_url = "https://api.acme.com/v1"\napi_key_env = "ACME_KEY"\n' + MODEL
    catalog = loaded(tmp_path, text, {"ACME_KEY": "sk-env"})
    assert catalog.endpoints["acme"].api_key == "sk-env"
    assert "ACME_KEY" in key_names(tmp_path / "providers.toml")


def test_a_provider_of_the_registry_can_be_given_models_and_another_url(tmp_path: Path) -> None:
    text = """
[providers.deepinfra]
base_url = "https://eu.deepinfra.example/v1/openai"
[[providers.deepinfra.models]]
id = "meta-llama/llama-3.3-70b-instruct"
native_id = "meta-llama/Llama-3.3-70B-Instruct-Turbo"
price = {input = "0.2", output = "0.4"}
"""
    catalog = loaded(tmp_path, text, {"DEEPINFRA_API_KEY": "sk"})
    (offer,) = catalog.offers_of("meta-llama/llama-3.3-70b-instruct")
    assert offer.prices is not None
    assert catalog.offers_of("deepseek/deepseek-chat-v3-0324")[0].prices is None
    assert catalog.endpoints["deepinfra"].base_url == "https://eu.deepinfra.example/v1/openai"


PRICE = 'price = {input = "1", output = "1"}\n'


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("[providers.acme", "", "not TOML"),
        ("[provider.acme]", "provider", "unknown table"),
        ("providers = 3", "providers", "must be tables"),
        ("[providers.Acme]\n", "providers.Acme", "lower-case"),
        (ACME + 'color = "red"', "providers.acme", "there is no field color"),
        (
            ACME + MODEL + "price = {input = 0.15, output = 0.6}",
            "providers.acme.models[0].price.input",
            "must be a string, in quotes",
        ),
        (ACME + MODEL + 'price = {inptu = "1"}', "providers.acme.models[0].price", "there is no field inptu"),
        (ACME + MODEL + "context_length = 0", "providers.acme.models[0].context_length", "must be at least 1"),
        (ACME + MODEL + PRICE + PRICE, "", "not TOML"),
        (ACME + MODEL.replace("acme/m", "m"), "providers.acme.models[0].id", "must be author/slug, such as acme/m"),
        (ACME + 'drops = ["a b"]', "providers.acme.drops[0]", "matching"),
        (ACME + MODEL + MODEL, "providers.acme.models[1].id", "there twice"),
        (ACME + MODEL + 'price = {input = "1"}', "providers.acme.models[0].price.output", "is missing"),
        (ACME + MODEL + 'cost = {input = "1"}', "providers.acme.models[0].cost.output", "is missing"),
        (
            ACME + MODEL + 'price = {input = "0", output = "0"}',
            "providers.acme.models[0].is_free",
            "say is_free = true",
        ),
        (ACME + MODEL + PRICE + "is_free = true", "providers.acme.models[0].is_free", "has a price"),
        (ACME + MODEL + "is_free = true", "providers.acme.models[0].is_free", "zeros written down"),
        (
            ACME + MODEL + "context_length = 100\nmax_output_tokens = 101",
            "providers.acme.models[0].max_output_tokens",
            "larger than the context_length",
        ),
        ('[providers.acme]\nbase_url = "https://a.b"\n', "providers.acme", "either api_key or api_key_env"),
        (ACME + 'api_key_env = "X"', "providers.acme", "either api_key or api_key_env"),
        (
            '[providers.acme]\nbase_url = "https://a.b"\napi_key_env = "NO"',
            "providers.acme.api_key_env",
            "NO is not set",
        ),
        ('[providers.acme]\napi_key = "x"', "providers.acme.base_url", "must be an http(s) URL"),
        ('[providers.acme]\nbase_url = "ftp://a.b"\napi_key = "x"', "providers.acme.base_url", "http(s) URL"),
        ('[providers.acme]\nbase_url = "https://u:p@a.b"\napi_key = "x"', "providers.acme.base_url", "credentials"),
        ('[providers.acme]\nbase_url = "https://a.b/v 1"\napi_key = "x"', "providers.acme.base_url", "http(s) URL"),
        ('[providers.acme]\nbase_url = "https://a.b/v\\n1"\napi_key = "x"', "providers.acme.base_url", "http(s) URL"),
        ('[providers.acme]\nbase_url = "https://ä.b/v1"\napi_key = "x"', "providers.acme.base_url", "http(s) URL"),
        ('[providers.acme]\nbase_url = "https://a.b"\napi_key = "x\\r\\ny: z"', "providers.acme.api_key", "line break"),
        ('[providers.acme]\nbase_url = "https://a.b"\napi_key = "x y"', "providers.acme.api_key", "white space"),
        ('[providers.openai]\ngenai_prices = "groq"', "providers.openai", "is in the registry"),
        ('[providers.sandbox]\nbase_url = "http://a.b"\napi_key = "x"', "providers.sandbox", "built-in sandbox"),
    ],
)
def test_a_mistake_is_named_with_file_row_and_field(tmp_path: Path, text: str, place: str, words: str) -> None:
    with pytest.raises(ProvidersFileInvalid) as refused:
        loaded(tmp_path, text)
    assert str(refused.value).startswith(f"{tmp_path / 'providers.toml'}: {place}")
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("key", ["sk-acme\n", " sk-acme", "sk\r\nx: y", "sk-ä", "sk\0"])
def test_a_key_that_no_header_can_carry_is_named_by_its_variable_and_not_shown(key: str) -> None:
    with pytest.raises(ProvidersFileInvalid) as refused:
        load_catalog(None, {"OPENAI_API_KEY": key}, None, on=TODAY)
    assert "providers.openai.api_key_env: OPENAI_API_KEY holds" in str(refused.value)
    assert key.strip() not in str(refused.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProvidersFileInvalid, match=r"nowhere\.toml: No such file .*; GATEWAYZ_PROVIDERS_FILE"):
        load_catalog(tmp_path / "nowhere.toml", {}, None, on=TODAY)


def test_a_key_never_shows_in_a_repr(tmp_path: Path) -> None:
    assert "sk-acme" not in repr(loaded(tmp_path, ACME).endpoints)
