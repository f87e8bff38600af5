"""Prices of one offer (provider x model) in force from a moment on: integers in nUSD per 10**6 units."""

from collections.abc import Mapping

import msgspec

from domain.errors import DomainError
from domain.pricing.usage import Unit

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


class PriceTier(msgspec.Struct, frozen=True):
    """Prices for prompts of more than `above_input_tokens` tokens; the whole request is billed in one tier."""

    above_input_tokens: int
    nusd_per_munit: dict[Unit, int]

    def price_of(self, unit: Unit) -> int | None:
        """nUSD per 10**6 units (= fUSD per unit), or None if the unit has no price here."""
        own = self.nusd_per_munit.get(unit)
        if own is None and unit in FALLBACK_UNIT:
            return self.nusd_per_munit.get(FALLBACK_UNIT[unit])
        return own

    def is_billed(self, unit: Unit) -> bool:
        """Whether a charge in this tier has a line for `unit`. A unit that needs a line but has no price is refused."""
        return unit not in COUNTED_BY_US or unit in self.nusd_per_munit


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
