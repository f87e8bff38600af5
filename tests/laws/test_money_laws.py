"""P6: money goes in and out as text without losing or gaining a nano-dollar."""

import json
import re
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from domain.errors import DomainError
from domain.money import FUSD_PER_NUSD, format_usd, parse_usd, round_half_even, round_up
from domain.pricing.rate import format_fusd

AMOUNTS = st.one_of(st.integers(0, 10), st.integers(0, 10**18 - 1), st.integers(0, 10**9 - 1).map(lambda n: n * 10**9))
JSON_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d{0,14}[1-9])?")


@given(AMOUNTS)
def test_p6_what_is_formatted_parses_to_the_same(amount_nusd: int) -> None:
    assert parse_usd(format_usd(amount_nusd)) == amount_nusd


@given(st.from_regex(r"[0-9]{1,9}(\.[0-9]{1,9})?", fullmatch=True))
def test_p6_what_is_parsed_formats_to_the_same_number(text: str) -> None:
    assert Decimal(format_usd(parse_usd(text))) == Decimal(text)
    assert parse_usd(text) == Decimal(text).scaleb(9)


@given(st.text(max_size=12))
def test_any_text_is_parsed_exactly_or_refused(text: str) -> None:
    try:
        amount_nusd = parse_usd(text)
    except DomainError:
        return
    assert amount_nusd == Decimal(text).scaleb(9)


@given(st.one_of(AMOUNTS, AMOUNTS.map(lambda n: -n), st.integers(-(2**63), 2**63)))
def test_p6_an_amount_is_a_json_number_without_exponent(amount_nusd: int) -> None:
    text = format_usd(amount_nusd)
    assert JSON_NUMBER.fullmatch(text)
    assert json.loads(text, parse_float=Decimal, parse_int=Decimal) == Decimal(amount_nusd).scaleb(-9)


@given(st.integers(0, 10**24))
def test_p6_a_charge_line_is_an_exact_json_number(amount_fusd: int) -> None:
    text = format_fusd(amount_fusd)
    assert JSON_NUMBER.fullmatch(text)
    assert Fraction(text) == Fraction(amount_fusd, 10**15)


@given(st.one_of(st.integers(-(10**24), 10**24), st.integers(-(10**12), 10**12).map(lambda n: n * FUSD_PER_NUSD // 2)))
def test_p6_rounding_is_half_even_and_holding_rounds_up(amount_fusd: int) -> None:
    exact = Fraction(amount_fusd, FUSD_PER_NUSD)
    assert round_half_even(amount_fusd) == round(exact)
    assert 0 <= round_up(amount_fusd) - exact < 1
    assert round_half_even(amount_fusd) <= round_up(amount_fusd)
