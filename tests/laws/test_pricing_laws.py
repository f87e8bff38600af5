"""P6: rating is exact, and a reservation always covers an honest answer."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from domain.errors import DomainError
from domain.money import FUSD_PER_NUSD
from domain.pricing.price import PriceSet, PriceTier
from domain.pricing.quote import MIN_CLAMPED_TOKENS, Quote, quote
from domain.pricing.rate import UnpricedUnit, rate
from domain.pricing.usage import INPUT_UNITS, OUTPUT_UNITS, Unit, Usage

LAW = settings(max_examples=100, deadline=None)
KEY_LAW = settings(max_examples=600, deadline=None)

OPTIONAL: tuple[Unit, ...] = ("cached_input", "cache_write_5m", "cache_write_1h", "reasoning", "image", "request")
PRICES = st.one_of(st.just(0), st.integers(1, 10), st.integers(1, 10**12), st.just(500_000))
COUNTS = st.one_of(st.integers(0, 20), st.integers(0, 2_000_000))


@st.composite
def price_sets(draw: DrawFn, sellable: bool = True) -> PriceSet:
    """Up to four tiers with any prices; `sellable`: plain input and output are priced in each."""
    bounds = sorted(draw(st.sets(st.one_of(st.integers(1, 30), st.integers(1, 2_000_000)), max_size=3)))
    return PriceSet(version="v1", tiers=tuple(draw(tiers(above, sellable)) for above in [0, *bounds]), is_free=True)


@st.composite
def tiers(draw: DrawFn, above: int, sellable: bool) -> PriceTier:
    plain: dict[Unit, int] = {"input": draw(PRICES), "output": draw(PRICES)} if sellable else {}
    others = draw(st.dictionaries(st.sampled_from(OPTIONAL if sellable else (*OPTIONAL, "input", "output")), PRICES))
    return PriceTier(above, {**plain, **others})


@st.composite
def shares(draw: DrawFn, units: tuple[Unit, ...], most: int) -> dict[Unit, int]:
    """Up to `most` tokens divided among `units`; often exactly so many, often all of one unit."""
    if draw(st.booleans()):
        return {**dict.fromkeys(units, 0), draw(st.sampled_from(units)): most}
    left = draw(st.one_of(st.just(most), st.integers(0, most)))
    found: dict[Unit, int] = {}
    for unit in draw(st.permutations(units)):
        found[unit] = draw(st.one_of(st.just(left), st.integers(0, left)))
        left -= found[unit]
    return found


@st.composite
def usages(draw: DrawFn, max_input: int, max_output: int, max_images: int) -> Usage:
    """Honest usage within bounds."""
    images = draw(st.one_of(st.just(max_images), st.integers(0, max_images)))
    pieces: dict[Unit, int] = {"request": draw(st.sampled_from([1, 1, 0])), "image": images}
    return {**draw(shares(INPUT_UNITS, max_input)), **draw(shares(OUTPUT_UNITS, max_output)), **pieces}


@KEY_LAW
@given(st.booleans().flatmap(price_sets), st.data(), COUNTS, st.integers(1, 5), st.integers(0, 4))
def test_p6_a_reservation_covers_every_honest_answer(
    prices: PriceSet, data: st.DataObject, requested: int, choices: int, images: int
) -> None:
    """Whatever was quoted can be rated, and costs no more than was reserved for the tokens that were granted."""
    edges = [tier.above_input_tokens + n for tier in prices.tiers for n in (0, 1)]
    max_input = data.draw(st.one_of(st.sampled_from(edges), COUNTS), "max_input")
    try:
        worst = quote(prices, max_input_tokens=max_input, output_tokens=requested, choices=choices, images=images)
    except UnpricedUnit:
        return  # refused before the call: also covered
    granted = data.draw(st.one_of(st.just(requested), st.integers(0, requested)), "granted")
    usage = data.draw(usages(max_input, granted * choices, images), "usage")
    assert rate(usage, prices).total_nusd <= worst.amount_for(granted) <= worst.full_nusd


@LAW
@given(price_sets(), COUNTS, COUNTS, st.integers(1, 5), st.integers(0, 4))
def test_what_is_priced_can_be_quoted(
    prices: PriceSet, max_input: int, requested: int, choices: int, images: int
) -> None:
    quote(prices, max_input_tokens=max_input, output_tokens=requested, choices=choices, images=images)


@LAW
@given(price_sets(), COUNTS, COUNTS, st.integers(1, 5), st.integers(0, 4))
def test_p2_a_quote_is_the_dearest_unit_of_the_dearest_tier_and_no_more(
    prices: PriceSet, max_input: int, requested: int, choices: int, images: int
) -> None:
    reachable = [tier for tier in prices.tiers if not tier.above_input_tokens or tier.above_input_tokens < max_input]

    def dearest(tier: PriceTier, units: tuple[Unit, ...]) -> int:
        return max(tier.price_of(unit) or 0 for unit in units)

    fixed = max(
        max_input * dearest(tier, INPUT_UNITS)
        + (tier.price_of("request") or 0)
        + images * (tier.price_of("image") or 0)
        for tier in reachable
    )
    per_token = choices * max(dearest(tier, OUTPUT_UNITS) for tier in reachable) if requested else 0
    for _ in range(2):  # what a tier keeps of the first quote does not change the second
        worst = quote(prices, max_input_tokens=max_input, output_tokens=requested, choices=choices, images=images)
        assert worst == Quote(fixed, per_token, requested)


@LAW
@given(price_sets(sellable=False), st.sampled_from([0, 1, 1_000]), st.sampled_from([0, 1, 1_000]))
def test_p6_a_quote_is_refused_if_tokens_can_occur_that_have_no_price(
    prices: PriceSet, max_input: int, requested: int
) -> None:
    reachable = [tier for tier in prices.tiers if not tier.above_input_tokens or tier.above_input_tokens < max_input]
    possible = INPUT_UNITS * bool(max_input) + OUTPUT_UNITS * bool(requested)
    is_refused = any(tier.price_of(unit) is None for tier in reachable for unit in possible)
    try:
        quote(prices, max_input_tokens=max_input, output_tokens=requested)
    except UnpricedUnit:
        assert is_refused
    else:
        assert not is_refused


@LAW
@given(price_sets(), usages(2_000_000, 2_000_000, 9))
def test_p6_a_charge_is_its_exact_sum_rounded_once_half_to_even(prices: PriceSet, usage: Usage) -> None:
    charge = rate(usage, prices)
    exact = Fraction(sum(line.quantity * line.nusd_per_munit for line in charge.lines), 10**6)
    assert charge.total_nusd == round(exact)  # Python rounds a Fraction half to even
    assert abs(charge.total_nusd - exact) <= Fraction(1, 2)


@LAW
@given(price_sets(), usages(2_000_000, 2_000_000, 9))
def test_p6_each_unit_that_was_used_is_one_line_at_its_own_price(prices: PriceSet, usage: Usage) -> None:
    tier = prices.tier_for(sum(usage[unit] for unit in INPUT_UNITS))
    lines = rate(usage, prices).lines
    assert len({line.unit for line in lines}) == len(lines)
    assert all(line.quantity == usage[line.unit] > 0 for line in lines)
    assert all(line.nusd_per_munit == tier.price_of(line.unit) for line in lines)
    unbilled = {unit for unit, count in usage.items() if count} - {line.unit for line in lines}
    assert unbilled <= {"request", "image"} - set(tier.nusd_per_munit)


@LAW
@given(tiers(0, sellable=True), usages(10**6, 10**6, 9), usages(10**6, 10**6, 9))
def test_p6_lines_add_up(tier: PriceTier, one: Usage, other: Usage) -> None:
    """Inside a tier two usages together cost what they cost apart, to the femto-dollar."""
    prices = PriceSet(version="v1", tiers=(tier,), is_free=True)

    def cost_fusd(usage: Usage) -> int:
        return sum(line.cost_fusd for line in rate(usage, prices).lines)

    both: dict[Unit, int] = {unit: one[unit] + other[unit] for unit in one}
    assert cost_fusd(both) == cost_fusd(one) + cost_fusd(other)


@LAW
@given(price_sets(), usages(10**6, 10**6, 9), st.sampled_from(INPUT_UNITS + OUTPUT_UNITS), st.integers(max_value=-1))
def test_p6_impossible_usage_is_never_a_credit(prices: PriceSet, usage: Usage, unit: Unit, count: int) -> None:
    with pytest.raises(DomainError) as refusal:
        rate({**usage, unit: count}, prices)
    assert refusal.value.code == "usage_quarantined"


QUOTES = st.builds(
    Quote,
    fixed_fusd=st.one_of(st.integers(0, 10**7), st.integers(0, 10**18)),
    per_token_fusd=st.one_of(st.integers(0, 3), st.integers(0, 2 * FUSD_PER_NUSD), st.integers(0, 10**12)),
    requested_tokens=st.one_of(st.integers(0, 20), st.integers(0, 10**6)),
)


@LAW
@given(QUOTES, st.data())
def test_p2_the_clamp_is_the_most_that_fits(worst: Quote, data: st.DataObject) -> None:
    near = worst.amount_for(data.draw(st.integers(0, worst.requested_tokens + 1), "tokens"))
    available = max(0, near + data.draw(st.integers(-2, 2), "off by"))
    least = min(MIN_CLAMPED_TOKENS, worst.requested_tokens)
    tokens = worst.clamp(available)
    if tokens is None:
        assert worst.amount_for(least) > available
        return
    assert least <= tokens <= worst.requested_tokens
    assert worst.amount_for(tokens) <= available
    assert tokens == worst.requested_tokens or worst.amount_for(tokens + 1) > available


@LAW
@given(QUOTES, st.integers(0, 10**13))
def test_the_402_sentence_names_the_most_that_is_affordable(worst: Quote, available: int) -> None:
    tokens = worst.tokens_within(available)
    if tokens < 0:
        assert worst.amount_for(0) > available
    else:
        assert worst.amount_for(tokens) <= available
        assert tokens == worst.requested_tokens or worst.amount_for(tokens + 1) > available
