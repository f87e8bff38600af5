"""Prices, quotes and charges by example; the laws are in tests/laws/test_pricing_laws.py."""

import pytest

from domain.errors import DomainError
from domain.money import ROUNDING_RULE
from domain.pricing.price import PriceSet, PriceTier
from domain.pricing.quote import quote
from domain.pricing.rate import ChargeLine, UnpricedUnit, format_fusd, rate
from domain.pricing.usage import MAX_COUNT, Unit, Usage

SMALL = {"input": 150_000_000, "output": 600_000_000}  # $0.15 and $0.60 per 1M tokens


def prices(*tiers: tuple[int, dict[Unit, int]], is_free: bool = False) -> PriceSet:
    return PriceSet(version="v1", tiers=tuple(PriceTier(above, table) for above, table in tiers), is_free=is_free)


def small(**more: int) -> PriceSet:
    return prices((0, {**SMALL, **more}))  # type: ignore[dict-item]


def test_a_charge_is_the_sum_of_its_lines() -> None:
    charge = rate({"input": 1_200, "output": 300}, small())
    assert charge.lines == (ChargeLine("input", 1_200, 150_000_000), ChargeLine("output", 300, 600_000_000))
    assert (charge.total_nusd, charge.price_version, charge.rounding) == (360_000, "v1", ROUNDING_RULE)


@pytest.mark.parametrize(("count", "total_nusd"), [(1, 0), (2, 1), (3, 2), (4, 2), (5, 2), (6, 3)])
def test_the_sum_is_rounded_once_half_to_even(count: int, total_nusd: int) -> None:
    assert rate({"input": count}, prices((0, {"input": 500_000}))).total_nusd == total_nusd


def test_lines_are_not_rounded_one_by_one() -> None:
    half = prices((0, {"input": 500_000, "output": 500_000}))
    assert rate({"input": 1, "output": 1}, half).total_nusd == 1


def test_a_discount_applies_to_cached_tokens_only() -> None:
    charge = rate({"input": 1_200, "cached_input": 800}, small(cached_input=15_000_000))
    assert charge.total_nusd == 1_200 * 150 + 800 * 15


@pytest.mark.parametrize("unit", ["cached_input", "cache_write_5m", "cache_write_1h"])
def test_without_a_price_of_its_own_a_part_of_the_prompt_is_plain_input(unit: Unit) -> None:
    assert rate({unit: 10}, small()).total_nusd == 10 * 150


def test_without_a_price_of_its_own_reasoning_is_plain_output() -> None:
    assert rate({"reasoning": 10}, small()).total_nusd == 10 * 600


def test_the_whole_request_is_billed_in_the_tier_of_its_prompt() -> None:
    tiered = prices((0, {"input": 1_000_000, "output": 0}), (200, {"input": 2_000_000, "output": 5_000_000}))
    assert rate({"input": 200, "output": 10}, tiered).total_nusd == 200
    assert rate({"input": 1, "cached_input": 200, "output": 10}, tiered).total_nusd == 402 + 50


def test_a_price_per_request_and_per_image() -> None:
    charge = rate({"request": 1, "image": 2}, small(request=10**15, image=4 * 10**13))
    assert charge.total_nusd == 10**9 + 2 * 4 * 10**7


def test_requests_and_images_without_a_price_are_not_what_is_sold() -> None:
    assert rate({"request": 1, "image": 2, "input": 1}, small()).lines == (ChargeLine("input", 1, 150_000_000),)


@pytest.mark.parametrize("unit", ["input", "output", "reasoning", "audio", "minute"])
def test_what_the_provider_counts_and_nobody_priced_is_refused(unit: Unit) -> None:
    with pytest.raises(UnpricedUnit) as refusal:
        rate({unit: 1}, prices((0, {"request": 1})))
    assert refusal.value.facts == {"unit": unit, "price_version": "v1"}


def test_nothing_of_an_unpriced_unit_is_no_matter() -> None:
    assert rate({"audio": 0}, small()).lines == ()


@pytest.mark.parametrize("count", [-1, MAX_COUNT + 1, 2**63, 1.5, float("nan"), True, "7", None])
def test_counts_that_cannot_be_true_are_quarantined(count: object) -> None:
    with pytest.raises(DomainError) as refusal:
        rate({"input": count}, small())  # type: ignore[dict-item]
    assert refusal.value.code == "usage_quarantined"


def test_a_charge_that_cannot_be_true_is_quarantined() -> None:
    with pytest.raises(DomainError) as refusal:
        rate({"input": MAX_COUNT}, prices((0, {"input": 10**20})))
    assert refusal.value.code == "usage_quarantined"


def test_a_free_offer_costs_nothing() -> None:
    free = prices((0, {"input": 0, "output": 0}), is_free=True)
    assert rate({"input": 10, "output": 10}, free).total_nusd == 0
    assert quote(free, max_input_tokens=10, output_tokens=10).full_nusd == 0


@pytest.mark.parametrize(
    "tiers",
    [
        (),
        ((1, SMALL),),
        ((0, SMALL), (0, SMALL)),
        ((0, SMALL), (20, SMALL), (10, SMALL)),
        ((0, {"input": -1}),),
        ((0, {"input": 0, "output": 0}),),
        ((0, {}),),
        ((0, SMALL), (200_000, {"input": 0, "output": 0})),
        ((0, SMALL), (200_000, {})),
    ],
)
def test_prices_that_cannot_be_meant_are_refused(tiers: tuple[tuple[int, dict[Unit, int]], ...]) -> None:
    with pytest.raises(DomainError) as refusal:
        prices(*tiers)
    assert refusal.value.code == "invalid_price"


def test_a_quote_takes_the_dearest_of_everything() -> None:
    made = quote(small(cache_write_1h=300_000_000), max_input_tokens=100, output_tokens=10, choices=2)
    assert (made.fixed_fusd, made.per_token_fusd) == (100 * 300_000_000, 2 * 600_000_000)


def test_a_quote_reckons_with_every_tier_that_the_prompt_can_reach() -> None:
    tiered = prices(
        (0, {"input": 2, "output": 1}), (100, {"input": 1, "output": 9}), (200, {"input": 50, "output": 50})
    )
    made = quote(tiered, max_input_tokens=200, output_tokens=10)
    assert (made.fixed_fusd, made.per_token_fusd) == (400, 9)


@pytest.mark.parametrize("table", [{"cached_input": 5, "output": 5}, {"input": 5}, {"input": 5, "reasoning": 5}])
def test_a_quote_is_refused_if_tokens_can_occur_that_have_no_price(table: dict[Unit, int]) -> None:
    with pytest.raises(UnpricedUnit):
        quote(prices((0, table)), max_input_tokens=10, output_tokens=10)


def test_a_quote_is_refused_if_only_a_higher_tier_lacks_a_price() -> None:
    tiered = prices((0, {"input": 1, "output": 1}), (100, {"input": 1}))
    quote(tiered, max_input_tokens=100, output_tokens=10)
    with pytest.raises(UnpricedUnit):
        quote(tiered, max_input_tokens=101, output_tokens=10)


def test_without_output_no_output_price_is_needed() -> None:
    assert quote(prices((0, {"input": 10**6})), max_input_tokens=7, output_tokens=0).full_nusd == 7


@pytest.mark.parametrize(
    ("amount_fusd", "text"), [(0, "0"), (1, "0.000000000000001"), (15 * 10**14, "1.5"), (2 * 10**15, "2")]
)
def test_a_line_is_shown_exactly(amount_fusd: int, text: str) -> None:
    assert format_fusd(amount_fusd) == text


def test_usage_may_be_any_mapping() -> None:
    usage: Usage = {"input": 1}
    assert rate(usage, small()).total_nusd == 150
