"""What a request is charged for: the provider's usage if it can be true, our own estimate if not
(docs/reference/rules.md#usage-and-estimates)."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import msgspec

from application.generate.held import Held
from domain.errors import DomainError
from domain.pricing.price import PriceSet
from domain.pricing.rate import Charge, rate
from domain.pricing.usage import INPUT_UNITS, OUTPUT_UNITS, Unit, Usage, checked, input_tokens, output_tokens

BYTES_PER_TOKEN = 4
"""English text averages about four bytes a token: the estimate for text that is not counted."""


class Counted(NamedTuple):
    """Tokens of the prompt and of the answer; None if they were not counted."""

    prompt: int | None = None
    answer: int | None = None


NOT_COUNTED = Counted()


class Metered(msgspec.Struct, frozen=True):
    """Billed counts, what they cost the customer and us, and how far they can be trusted."""

    usage: dict[Unit, int]
    charge: Charge
    provider_cost_nusd: int
    estimated: bool = False
    quarantined: bool = False


def meter_answer(
    held: Held, usage: Usage | None, output_bytes: int, *, is_doubtful: bool = False, counted: Counted = NOT_COUNTED
) -> Metered:
    """Charge `usage` at the prices of the reserve; without a credible one, estimate it.

    A missing usage is estimated. So is a side that is missing, or zero although there was text: then, and if the
    provider's total contradicts its counts (`is_doubtful`), the whole is flagged and stays within the reservation.
    Negative, absurd or unpriced counts are set aside.
    """
    guess = partial(_guess, held, output_bytes, counted)
    if usage is None:
        return _metered(held, _with_flat_units(held, guess()), estimated=True)
    try:
        believed = _believed(held, usage)
        whole = _with_missing_sides(believed, guess)
        if is_doubtful or whole != believed:
            return _metered(held, _with_flat_units(held, _within_bounds(held, whole)), estimated=True)
        return _metered(held, _with_flat_units(held, whole))
    except DomainError:
        return _metered(held, _with_flat_units(held, guess()), estimated=True, quarantined=True)


def _believed(held: Held, usage: Usage) -> dict[Unit, int]:
    """Raises: DomainError usage_quarantined for impossible counts, or more tokens than the request can have cost.

    The request's own bounds hold, whatever the model's listed context: no tokenizer makes more tokens than bytes. The
    slack is for tokens that the provider adds of its own.
    """
    slack = held.offer.usage_slack_tokens
    for unit, tokens, most in (
        ("input", input_tokens(checked(usage)), held.request.most_input_tokens(held.offer.context_length)),
        ("output", output_tokens(usage), held.granted_tokens * held.request.choices),
    ):
        if tokens > most + slack:
            raise DomainError("usage_quarantined", unit=unit, count=str(tokens))
    return dict(usage)


def _with_missing_sides(usage: dict[Unit, int], guess: Callable[[], dict[Unit, int]]) -> dict[Unit, int]:
    """A prompt always has tokens, and so has an answer with any output."""
    if input_tokens(usage) and output_tokens(usage):
        return usage
    whole = dict(usage)
    if not input_tokens(usage):
        whole["input"] = guess()["input"]
    if not output_tokens(usage):
        whole["output"] = guess()["output"]
    return whole


def _within_bounds(held: Held, usage: dict[Unit, int]) -> dict[Unit, int]:
    """Each side cut to the tokens reserved for it, the plain ones first: an estimate errs only in those."""
    bounded = dict(usage)
    for units, most in ((INPUT_UNITS, _most_input(held)), (OUTPUT_UNITS, _most_output(held))):
        excess = max(0, sum(usage.get(unit, 0) for unit in units) - most)
        for unit in units:
            cut = min(excess, bounded.get(unit, 0))
            if cut:
                bounded[unit] -= cut
                excess -= cut
    return bounded


def _metered(held: Held, usage: dict[Unit, int], *, estimated: bool = False, quarantined: bool = False) -> Metered:
    charge = rate(usage, held.prices)
    cost_prices = held.offer.cost_prices
    provider_cost_nusd = (
        charge.total_nusd if cost_prices in (None, held.prices) else rate(usage, cost_prices).total_nusd
    )
    return Metered(usage, charge, provider_cost_nusd, estimated, quarantined)


def with_more_output(held: Held, metered: Metered, tokens: int) -> Metered:
    """`metered` plus output that was never received, flagged, within the reservation."""
    more = max(0, min(tokens, _most_output(held) - output_tokens(metered.usage)))
    usage = {**metered.usage, "output": metered.usage.get("output", 0) + more}
    return _metered(held, usage, estimated=True, quarantined=metered.quarantined)


def _guess(held: Held, output_bytes: int, counted: Counted) -> dict[Unit, int]:
    """Within the quote's bounds by construction, so that it can never exceed the reservation."""
    request = held.request
    prompt = _in_bytes(request.prompt_bytes) if counted.prompt is None else counted.prompt
    answer = _in_bytes(output_bytes) if counted.answer is None else counted.answer
    return {
        "input": min(prompt + request.attached_tokens, _most_input(held)),
        "output": min(answer, _most_output(held)),
    }


def _in_bytes(size: int) -> int:
    return -(-size // BYTES_PER_TOKEN)


def _most_input(held: Held) -> int:
    return min(held.request.most_input_tokens(held.offer.context_length), held.offer.context_length)


def _most_output(held: Held) -> int:
    return held.granted_tokens * held.request.choices


def _with_flat_units(held: Held, usage: dict[Unit, int]) -> dict[Unit, int]:
    """Count per-request and per-image units here: no provider reports them."""
    if _is_priced(held.prices, "request"):
        usage["request"] = 1
    if held.request.images and _is_priced(held.prices, "image"):
        usage["image"] = held.request.images
    return usage


def _is_priced(prices: PriceSet, unit: Unit) -> bool:
    return any(tier.price_of(unit) for tier in prices.tiers)
