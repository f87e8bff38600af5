"""Money is an integer count of nano-dollars (nUSD, 10**-9 USD); one way in from text and one way out (P6).

Prices are nUSD per 10**6 units, which is the same number as femto-dollars (fUSD, 10**-15 USD) per unit: rating
multiplies and adds whole fUSD and rounds once, at the very end.
"""

import re
from typing import NewType

from domain.errors import DomainError

Nusd = NewType("Nusd", int)

NUSD_PER_USD = 10**9
FUSD_PER_NUSD = 10**6
FUSD_PER_USD = FUSD_PER_NUSD * NUSD_PER_USD
ROUNDING_RULE = "half-even-per-request-v1"
"""Stored with every charge, so that an auditor knows how its sum became whole nUSD."""

MAX_NUSD = 2**62
"""Half a bigint: no grant, charge or sum of an account's lots exceeds it, so that adding any two never overflows."""

_USD_TEXT = re.compile(r"\d{1,9}(\.\d{1,9})?", re.ASCII)
"""Less than 10**9 USD, so that every parsed amount is below MAX_NUSD."""


def parse_usd(text: str, param: str = "amount_usd") -> Nusd:
    """Turn a decimal string such as "12.345678901" (USD) into nUSD, exactly.

    Raises: DomainError invalid_amount if it is not plain digits, nine at most on either side of the point
            (no sign, no exponent).
    """
    if not isinstance(text, str) or not _USD_TEXT.fullmatch(text):
        raise DomainError("invalid_amount", param=param, expected='a decimal string such as "12.345678901"')
    whole, _, decimals = text.partition(".")
    return Nusd(int(whole) * NUSD_PER_USD + int(decimals.ljust(9, "0")))


def format_usd(amount_nusd: int) -> str:
    """The only formatter: USD with at most nine decimals, no exponent, no trailing zeros; valid as a JSON number.

    >>> format_usd(1_500_000_000), format_usd(-3), format_usd(0)
    ('1.5', '-0.000000003', '0')
    """
    if amount_nusd < 0:
        return "-" + format_usd(-amount_nusd)
    whole, decimals = divmod(amount_nusd, NUSD_PER_USD)
    return f"{whole}.{decimals:09d}".rstrip("0") if decimals else str(whole)


def round_half_even(amount_fusd: int) -> Nusd:
    """Round a whole number of fUSD to nUSD, ties to the even neighbour (once per request:
    docs/reference/rules.md#credit)."""
    quotient, rest = divmod(amount_fusd, FUSD_PER_NUSD)
    return Nusd(quotient + (rest > _HALF_NUSD or (rest == _HALF_NUSD and quotient % 2 == 1)))


_HALF_NUSD = FUSD_PER_NUSD // 2


def round_up(amount_fusd: int) -> Nusd:
    """Round fUSD up to nUSD: a reservation is never smaller than the charge it must cover."""
    return Nusd(-(-amount_fusd // FUSD_PER_NUSD))
