"""The worst case of a request before the call: the amount to reserve, linear in the output tokens granted."""

import msgspec

from domain.money import FUSD_PER_NUSD, Nusd, round_up
from domain.pricing.price import Dearest, PriceSet, PriceTier
from domain.pricing.rate import UnpricedUnit

MIN_CLAMPED_TOKENS = 16
"""A shorter answer is useless: a clamp never goes below min(16, requested) (docs/reference/rules.md#clamp)."""


class Quote(msgspec.Struct, frozen=True):
    """Worst case of a request = fixed part + output tokens x price, in fUSD, rounded up to nUSD.

    fixed_fusd:            the prompt at its highest possible price, plus per-request and per-image units.
    per_token_fusd:        one granted output token, times the number of choices.
    requested_tokens:      output tokens per choice that the client asked for or the model allows.
    """

    fixed_fusd: int
    per_token_fusd: int
    requested_tokens: int

    def amount_for(self, tokens: int) -> Nusd:
        return round_up(self.fixed_fusd + self.per_token_fusd * tokens)

    @property
    def full_nusd(self) -> Nusd:
        return self.amount_for(self.requested_tokens)

    def tokens_within(self, available_nusd: int) -> int:
        """Output tokens per choice with a worst case within `available_nusd`; negative if the prompt exceeds it."""
        room_fusd = available_nusd * FUSD_PER_NUSD - self.fixed_fusd
        if room_fusd < 0:
            return -1
        if self.per_token_fusd == 0:
            return self.requested_tokens
        return min(self.requested_tokens, room_fusd // self.per_token_fusd)

    def clamp(self, available_nusd: int) -> int | None:
        """Output tokens to grant with `available_nusd`, or None if fewer than min(16, requested) would fit."""
        tokens = self.tokens_within(available_nusd)
        return tokens if tokens >= min(MIN_CLAMPED_TOKENS, self.requested_tokens) else None


def quote(prices: PriceSet, *, max_input_tokens: int, output_tokens: int, choices: int = 1, images: int = 0) -> Quote:
    """Quote the most expensive outcome of a request under `prices`.

    max_input_tokens: an upper bound of the prompt's tokens; any tier up to it may apply, any input unit may be billed.
                      Promise: usage within these bounds, with one request, never rates to more than this.
    output_tokens:    upper bound per choice; `choices` is the request's n; `images` counts image parts sent.
    Raises: UnpricedUnit if tokens can occur that have no price (a free or per-request offer has explicit prices of 0).
    """
    fixed_fusd = per_token_fusd = 0
    for n, tier in enumerate(prices.tiers):
        if n == 0 or tier.above_input_tokens < max_input_tokens:
            prompt_fusd = max_input_tokens * _price(tier.dearest_input, prices, max_input_tokens)
            fixed_fusd = max(fixed_fusd, prompt_fusd + _flat(tier, images))
            per_token_fusd = max(per_token_fusd, _price(tier.dearest_output, prices, output_tokens))
    return Quote(fixed_fusd=fixed_fusd, per_token_fusd=choices * per_token_fusd, requested_tokens=output_tokens)


def _flat(tier: PriceTier, images: int) -> int:
    return (tier.price_of("request") or 0) + images * (tier.price_of("image") or 0)


def _price(dearest: Dearest, prices: PriceSet, tokens: int) -> int:
    """A unit without a price is refused now: its usage could not be rated later."""
    if not tokens:
        return 0
    if dearest.unpriced is not None:
        raise UnpricedUnit(dearest.unpriced, prices.version)
    return dearest.nusd_per_munit
