"""Turn decimal strings into a PriceSet: the one place where units are converted.

A PriceSet holds nUSD per 10**6 units. Tokens are quoted in USD per 10**6, so "0.15" is 150_000_000; one-unit prices are
quoted in USD each, so "0.01" is 10_000_000 nUSD x 10**6 = 10**13.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence

import msgspec

from adapters.outbound.providers.offers.rows import PriceRow, UnitPrices
from domain.money import MAX_NUSD
from domain.pricing.price import PriceSet, PriceTier
from domain.pricing.usage import UNITS, Unit

ONE_UNIT: frozenset[Unit] = frozenset({"request", "image", "minute"})
TOKEN_UNITS: tuple[Unit, ...] = tuple(unit for unit in UNITS if unit not in ONE_UNIT)
DECIMALS_PER_MTOK = 9
DECIMALS_PER_UNIT = 15
"""A USD price with at most this many decimals is a whole number of nUSD per 10**6 units."""

_USD = re.compile(r"(\d{1,10})(?:\.(\d{1,30}))?", re.ASCII)


class PriceInvalid(Exception):
    """A price that cannot be used: `field` is the place, the text is the reason."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


def price_of_row(row: PriceRow, *, name: str, is_free: bool, source: str) -> PriceSet:
    """The PriceSet of `row`; `name` begins its version.

    Raises: PriceInvalid for inexact or malformed numbers, for `input` without `output` (or the reverse), for zeros
            without is_free and for is_free with a price.
    """
    tiers = _tiers(row)
    if is_free != all_zero(tiers):
        raise PriceInvalid("is_free", "the model has a price" if is_free else "all prices are zero: say is_free = true")
    return named_price_set(name, tiers, is_free=is_free, source=source)


def costs_nothing(row: PriceRow) -> bool:
    """Whether every price of `row` is zero. Raises PriceInvalid as price_of_row does."""
    return all_zero(_tiers(row))


def named_price_set(name: str, tiers: Sequence[PriceTier], *, is_free: bool, source: str) -> PriceSet:
    """A PriceSet; its version ends in a digest of its numbers, so that a version never names other numbers."""
    numbers = [(tier.above_input_tokens, sorted(tier.nusd_per_munit.items())) for tier in tiers]
    digest = hashlib.sha256(msgspec.json.encode((numbers, is_free))).hexdigest()[:16]
    return PriceSet(version=f"{name}#{digest}", tiers=tuple(tiers), is_free=is_free, source=source)


def all_zero(tiers: Sequence[PriceTier]) -> bool:
    return not any(price for tier in tiers for price in tier.nusd_per_munit.values())


def _tiers(row: PriceRow) -> list[PriceTier]:
    tiers = [PriceTier(0, _with_token_zeros(_converted(row, "")))]
    for number, tier in enumerate(row.tiers):
        if tier.above_input_tokens <= tiers[-1].above_input_tokens:
            raise PriceInvalid(f"tiers[{number}].above_input_tokens", "tiers must ascend")
        named = _converted(tier, f"tiers[{number}].")
        tiers.append(PriceTier(tier.above_input_tokens, {**tiers[-1].nusd_per_munit, **named}))
    return tiers


def _converted(row: UnitPrices, place: str) -> dict[Unit, int]:
    found: dict[Unit, int] = {}
    for unit in UNITS:
        text = getattr(row, unit)
        if text is not None:
            found[unit] = _nusd_per_munit(text, unit, place + unit)
    return found


def _nusd_per_munit(text: str, unit: Unit, field: str) -> int:
    decimals = DECIMALS_PER_UNIT if unit in ONE_UNIT else DECIMALS_PER_MTOK
    match = _USD.fullmatch(text)
    if not match:
        raise PriceInvalid(field, f'{text!r} is not a decimal string such as "0.15"')
    fraction = (match[2] or "").rstrip("0")
    if len(fraction) > decimals:
        raise PriceInvalid(field, f"{text} has more than the {decimals} decimals that can be represented exactly")
    price = int(match[1] + fraction.ljust(decimals, "0"))
    if price > MAX_NUSD:
        raise PriceInvalid(field, f"{text} is too large")
    return price


def _with_token_zeros(prices: Mapping[Unit, int]) -> dict[Unit, int]:
    """A price that names no token unit means that tokens cost 0; the zeros are then made explicit."""
    named = [unit for unit in TOKEN_UNITS if unit in prices]
    missing = [unit for unit in ("input", "output") if unit not in prices]
    if not prices:
        raise PriceInvalid("input", "the price names no unit")
    if named and missing:
        raise PriceInvalid(missing[0], f"is missing, though {named[0]} has a price; write both input and output")
    return {"input": 0, "output": 0, **prices}
