"""USD text in, USD text out; the laws are in tests/laws/test_money_laws.py."""

import doctest

import pytest

import domain.money
from domain.errors import DomainError
from domain.money import MAX_NUSD, format_usd, parse_usd, round_half_even, round_up


@pytest.mark.parametrize(
    ("text", "amount_nusd"),
    [("12.345678901", 12_345_678_901), ("0", 0), ("5", 5 * 10**9), ("0.000000001", 1), ("007.50", 7_500_000_000)],
)
def test_a_decimal_string_is_parsed_exactly(text: str, amount_nusd: int) -> None:
    assert parse_usd(text) == amount_nusd


@pytest.mark.parametrize("text", ["", " 1", "1 ", "1\n", "-1", "+1", "1e3", ".5", "5.", "1,5", "1_0", "0x1", "١"])
def test_anything_but_plain_digits_is_refused(text: str) -> None:
    with pytest.raises(DomainError) as refusal:
        parse_usd(text, "limit_usd")
    assert (refusal.value.code, refusal.value.facts["param"]) == ("invalid_amount", "limit_usd")


@pytest.mark.parametrize("text", ["NaN", "Infinity", "1.0000000001", "1" * 5000])
def test_neither_is_what_no_amount_can_be(text: str) -> None:
    with pytest.raises(DomainError):
        parse_usd(text)


@pytest.mark.parametrize("value", [5, 5.0, None, True, ["1"]])
def test_a_json_number_is_no_amount(value: object) -> None:
    with pytest.raises(DomainError):
        parse_usd(value)  # type: ignore[arg-type]


def test_no_text_makes_an_amount_that_a_bigint_could_not_sum() -> None:
    assert parse_usd("9" * 9 + "." + "9" * 9) < MAX_NUSD
    with pytest.raises(DomainError):
        parse_usd("9" * 10)


@pytest.mark.parametrize(
    ("amount_nusd", "text"),
    [(0, "0"), (1, "0.000000001"), (10**9, "1"), (1_500_000_000, "1.5"), (-3, "-0.000000003"), (-(10**9), "-1")],
)
def test_an_amount_is_shown_with_all_its_digits(amount_nusd: int, text: str) -> None:
    assert format_usd(amount_nusd) == text


@pytest.mark.parametrize(
    ("amount_fusd", "half_even", "up"),
    [(0, 0, 0), (1, 0, 1), (500_000, 0, 1), (500_001, 1, 1), (1_500_000, 2, 2), (2_500_000, 2, 3), (1_000_000, 1, 1)],
)
def test_rounding(amount_fusd: int, half_even: int, up: int) -> None:
    assert (round_half_even(amount_fusd), round_up(amount_fusd)) == (half_even, up)


def test_the_examples_in_the_docstrings_hold() -> None:
    assert doctest.testmod(domain.money).failed == 0
