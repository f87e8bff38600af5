"""P6: decimal strings become integers once, exactly, or are refused."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.outbound.providers.offers.price_of_row import PriceInvalid, price_of_row
from adapters.outbound.providers.offers.rows import PriceRow
from domain.pricing.price import PriceSet
from domain.pricing.usage import Unit


def priced(row: dict[str, Any], *, is_free: bool = False) -> PriceSet:
    return price_of_row(msgspec.convert(row, PriceRow), name="test/m", is_free=is_free, source="a test")


def numbers(row: dict[str, Any], *, is_free: bool = False) -> dict[Unit, int]:
    return dict(priced(row, is_free=is_free).tiers[0].nusd_per_munit)


def test_tokens_are_quoted_in_usd_per_million() -> None:
    assert numbers({"input": "0.15", "output": "0.60"}) == {"input": 150_000_000, "output": 600_000_000}


@pytest.mark.parametrize("unit", ["request", "image", "minute"])
def test_single_units_are_quoted_in_usd_each(unit: str) -> None:
    assert numbers({unit: "0.01"}) == {"input": 0, "output": 0, unit: 10_000_000 * 10**6}


def test_a_price_per_request_alone_writes_down_that_tokens_cost_zero() -> None:
    assert numbers({"request": "0.01"})["output"] == 0


def test_tiers_inherit_what_they_do_not_name() -> None:
    prices = priced({"input": "1", "output": "2", "tiers": [{"above_input_tokens": 200_000, "input": "3"}]})
    assert prices.tier_for(200_000).nusd_per_munit == {"input": 10**9, "output": 2 * 10**9}
    assert prices.tier_for(200_001).nusd_per_munit == {"input": 3 * 10**9, "output": 2 * 10**9}


def test_the_version_names_the_numbers_for_ever() -> None:
    same, other = {"input": "0.15", "output": "0.6"}, {"input": "0.15", "output": "0.61"}
    assert priced(same).version == priced({"input": "0.150", "output": "0.60"}).version
    assert priced(same).version == "test/m#4808f3a88b41aa7c"
    assert priced(other).version != priced(same).version


@given(st.decimals(min_value=0, max_value=10**6, places=9, allow_nan=False))
def test_every_price_with_nine_decimals_is_kept_to_the_last(usd: Decimal) -> None:
    text = f"{usd:f}"
    assert numbers({"input": text, "output": "1"})["input"] == int(usd * 10**9)


@pytest.mark.parametrize(
    ("row", "field", "words"),
    [
        ({"input": "0.15"}, "output", "is missing"),
        ({"output": "0.15"}, "input", "is missing"),
        ({"cached_input": "0.1", "request": "1"}, "input", "is missing"),
        ({}, "input", "names no unit"),
        ({"input": "0.0000000001", "output": "1"}, "input", "9 decimals that can be represented exactly"),
        ({"request": "0.0000000000000001"}, "request", "15 decimals"),
        ({"input": "-1", "output": "1"}, "input", "not a decimal string"),
        ({"input": "1e3", "output": "1"}, "input", "not a decimal string"),
        ({"input": "1,5", "output": "1"}, "input", "not a decimal string"),
        ({"input": "NaN", "output": "1"}, "input", "not a decimal string"),
        ({"request": "9999999999"}, "request", "too large"),
        ({"input": "0", "output": "0"}, "is_free", "say is_free = true"),
        ({"request": "0"}, "is_free", "say is_free = true"),
        (
            {"input": "1", "output": "1", "tiers": [{"above_input_tokens": 9}, {"above_input_tokens": 9}]},
            "tiers[1].above_input_tokens",
            "ascend",
        ),
    ],
)
def test_a_mistake_is_named_with_its_field(row: dict[str, Any], field: str, words: str) -> None:
    with pytest.raises(PriceInvalid) as refused:
        priced(row)
    assert refused.value.field == field
    assert words in refused.value.reason


def test_free_needs_zeros_and_zeros_need_free() -> None:
    assert priced({"input": "0", "output": "0"}, is_free=True).is_free
    with pytest.raises(PriceInvalid, match="has a price"):
        priced({"input": "1", "output": "1"}, is_free=True)
