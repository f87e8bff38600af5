"""Prices of one offer (provider x model) in force from a moment on: integers in nUSD per 10**6 units."""

from collections.abc import Mapping
from functools import cached_property
from typing import NamedTuple

import msgspec

from domain.errors import DomainError
from domain.pricing.usage import INPUT_UNITS, OUTPUT_UNITS, Unit

FALLBACK_UNIT: Mapping[Unit, Unit] = {
    "cached_input": "input",
    "cache_write_5m": "input",
    "cache_write_1h": "input",
    "reasoning": "output",
}
"""A unit without a price of its own is billed as this one: a provider without a cache discount bills plain input."""


COUNTED_BY_US: frozenset[Unit] = frozenset({"request", "image"})
"""Known before the call. A price for them is optional: an offer without one does not charge for them. The provider
counts all other units; without a price they are refused rather than given away."""


class Dearest(NamedTuple):
    """The highest price among some units; unpriced: the first of them without a price."""

    nusd_per_munit: int
    unpriced: Unit | None


class PriceTier(msgspec.Struct, frozen=True, dict=True):
    """Prices for prompts of more than `above_input_tokens` tokens; the whole request is billed in one tier.

    Every quote asks for the dearest units, so they are kept: `dict` is what cached_property needs.
    """

    above_input_tokens: int
    nusd_per_munit: dict[Unit, int]

    @cached_property
    def dearest_input(self) -> Dearest:
        return self._dearest_of(INPUT_UNITS)

    @cached_property
    def dearest_output(self) -> Dearest:
        return self._dearest_of(OUTPUT_UNITS)

    def price_of(self, unit: Unit) -> int | None:
        """nUSD per 10**6 units (= fUSD per unit), or None if the unit has no price here."""
        own = self.nusd_per_munit.get(unit)
        if own is None and unit in FALLBACK_UNIT:
            return self.nusd_per_munit.get(FALLBACK_UNIT[unit])
        return own

    def is_billed(self, unit: Unit) -> bool:
        """Whether a charge in this tier has a line for `unit`. A unit that needs a line but has no price is refused."""
        return unit not in COUNTED_BY_US or unit in self.nusd_per_munit

    def _dearest_of(self, units: tuple[Unit, ...]) -> Dearest:
        found = {unit: self.price_of(unit) for unit in units}
        unpriced = next((unit for unit, price in found.items() if price is None), None)
        return Dearest(max((price for price in found.values() if price is not None), default=0), unpriced)


class PriceSet(msgspec.Struct, frozen=True):
    """Every price of one offer at one time.

    version: names this set for ever; stored with each charge.
    tiers:   ascending by `above_input_tokens`, the first at 0.
    is_free: zero is intended; without this flag a zero price is a mistake and is refused.
    source:  where the prices are from, with the date they were checked.
    """

    version: str
    tiers: tuple[PriceTier, ...]
    is_free: bool = False
    source: str = ""

    def __post_init__(self) -> None:
        bounds = [tier.above_input_tokens for tier in self.tiers]
        if not bounds or bounds[0] != 0 or bounds != sorted(set(bounds)):
            raise DomainError("invalid_price", version=self.version, expected="tiers that ascend from 0")
        if any(price < 0 for tier in self.tiers for price in tier.nusd_per_munit.values()):
            raise DomainError("invalid_price", version=self.version, expected="prices of zero or more")
        if not self.is_free and not all(any(tier.nusd_per_munit.values()) for tier in self.tiers):
            raise DomainError("invalid_price", version=self.version, expected="a price above zero per tier, or is_free")

    def tier_for(self, input_tokens: int) -> PriceTier:
        """The tier for a prompt of `input_tokens` tokens: the last with `above_input_tokens` below that number."""
        chosen = self.tiers[0]
        for tier in self.tiers[1:]:
            if input_tokens > tier.above_input_tokens:
                chosen = tier
        return chosen
