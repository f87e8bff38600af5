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
    usage_slack_tokens: tokens above a request's own bounds, per side, up to which the provider's usage is believed.
    reasoning_tokens_per_s: of a model that thinks unseen: what an abandoned stream is charged for its silence; None:
                       it is not charged.
    listed:            shown among the models on sale; one that is not answers by its name all the same.
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
