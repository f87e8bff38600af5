"""An offer is one provider's way to serve one model, at its prices."""

import msgspec

from domain.pricing.price import PriceSet


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """One provider x model, as the catalog has it at one time.

    model:             canonical id that customers name, `author/slug`.
    native_id:         the provider's own id for it.
    prices:            None if the model is known but unpriced: requests are refused before the call, never free.
    cost_prices:       what the provider bills us, without markup.
    context_length:    tokens of prompt and answer together; max_output_tokens: tokens of one answer.
    usage_slack_tokens: how far the provider's usage may exceed a request's own bounds, per side, and be accepted.
    reasoning_tokens_per_s: for a model that hides its reasoning: tokens charged per second of silence in an abandoned
                       stream; None: silence is not charged.
    listed:            shown in the list of models; an unlisted model still answers by its name.
    """

    model: str
    provider: str
    native_id: str
    prices: PriceSet | None
    cost_prices: PriceSet | None
    context_length: int
    max_output_tokens: int
    name: str = ""
    created: int = 0
    input_modalities: tuple[str, ...] = ("text",)
    usage_slack_tokens: int = 4_096
    reasoning_tokens_per_s: int | None = None
    listed: bool = True
