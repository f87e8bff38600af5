"""What a request is charged for: the provider's usage if it can be true, our own estimate if not (PRODUCT §1)."""

import msgspec

from application.generate.held import Held
from domain.errors import DomainError
from domain.pricing.price import PriceSet
from domain.pricing.rate import Charge, rate
from domain.pricing.usage import Unit, Usage, input_tokens, output_tokens

BYTES_PER_TOKEN = 4
"""English text averages about four bytes a token; an estimate is flagged and never exceeds the reservation."""


ABSURD_CONTEXTS = 2
"""No model reads or writes more than its context. Twice that leaves room for a context length that is out of date; what
is above it is a fault of the provider's and is set aside, before it can drain an account."""


class Metered(msgspec.Struct, frozen=True):
    """Billed counts, what they cost the customer and us, and how far they can be trusted."""

    usage: dict[Unit, int]
    charge: Charge
    cost_nusd: int
    estimated: bool = False
    quarantined: bool = False


def meter_answer(held: Held, usage: Usage | None, output_bytes: int) -> Metered:
    """Charge `usage` at the prices of the reserve; without a credible one, estimate from the bytes that went by.

    A missing usage and a zero one are different: zero is believed. Negative, absurd or unpriced counts are set aside.
    """
    if usage is None:
        return _metered(held, _estimate(held, output_bytes), estimated=True)
    try:
        return _metered(held, _with_flat_units(held, _possible(held, usage)))
    except DomainError:
        return _metered(held, _estimate(held, output_bytes), estimated=True, quarantined=True)


def _possible(held: Held, usage: Usage) -> dict[Unit, int]:
    """Raises: DomainError usage_quarantined for more tokens than the model can have handled."""
    context = ABSURD_CONTEXTS * max(held.offer.context_length, held.offer.max_output_tokens)
    for unit, tokens, limit in (
        ("input", input_tokens(usage), context),
        ("output", output_tokens(usage), context * held.request.choices),
    ):
        if tokens > limit:
            raise DomainError("usage_quarantined", unit=unit, count=str(tokens))
    return dict(usage)


def _metered(held: Held, usage: dict[Unit, int], *, estimated: bool = False, quarantined: bool = False) -> Metered:
    charge = rate(usage, held.prices)
    cost_prices = held.offer.cost_prices
    cost_nusd = charge.total_nusd if cost_prices in (None, held.prices) else rate(usage, cost_prices).total_nusd
    return Metered(usage, charge, cost_nusd, estimated, quarantined)


def _estimate(held: Held, output_bytes: int) -> dict[Unit, int]:
    """Within the quote's bounds by construction, so that it can never exceed the reservation."""
    request = held.request
    prompt = min(-(-request.prompt_bytes // BYTES_PER_TOKEN), request.max_input_tokens, held.offer.context_length)
    answer = min(-(-output_bytes // BYTES_PER_TOKEN), held.granted_tokens * request.choices)
    return _with_flat_units(held, {"input": prompt, "output": answer})


def _with_flat_units(held: Held, usage: dict[Unit, int]) -> dict[Unit, int]:
    """Per-request and per-image units are ours to count: no provider reports them."""
    if _is_priced(held.prices, "request"):
        usage["request"] = 1
    if held.request.images and _is_priced(held.prices, "image"):
        usage["image"] = held.request.images
    return usage


def _is_priced(prices: PriceSet, unit: Unit) -> bool:
    return any(tier.price_of(unit) for tier in prices.tiers)
