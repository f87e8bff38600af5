"""The offers that a row lists itself, with their own prices."""

from collections.abc import Iterator
from contextlib import contextmanager

from adapters.outbound.providers.offers.price_of_row import PriceInvalid, costs_nothing, price_of_row
from adapters.outbound.providers.offers.rows import USAGE_SLACK_TOKENS, ModelRow
from domain.catalog.offer import Offer
from domain.pricing.price import PriceSet

DEFAULT_CONTEXT_LENGTH = 131_072
"""For rows without one: what most current models take. If a prompt is longer, the provider refuses it."""

DEFAULT_MAX_OUTPUT_TOKENS = 8_192
"""For rows without one: every current chat model grants it, and it keeps reservations small."""


def output_limit(limit: int | None, context_length: int) -> int:
    """Tokens of one answer; without a `limit` in the row at most half the context, so that a prompt fits too."""
    return limit or min(DEFAULT_MAX_OUTPUT_TOKENS, context_length // 2)


class ModelInvalid(Exception):
    """A model that cannot be offered: `field` is the place in its row, the text is the reason."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


def offer_of_row(provider: str, model: ModelRow, *, origin: str, usage_slack_tokens: int = USAGE_SLACK_TOKENS) -> Offer:
    """The offer of `model` at `provider`. `origin` begins its price version and names the file with the price.

    usage_slack_tokens: the provider's, unless the model has its own.

    Raises: ModelInvalid that names the field.
    """
    context_length = model.context_length or DEFAULT_CONTEXT_LENGTH
    max_output_tokens = output_limit(model.max_output_tokens, context_length)
    if max_output_tokens > context_length:
        raise ModelInvalid("max_output_tokens", f"is larger than the context_length {context_length}")
    prices = _prices(provider, model, origin)
    return Offer(
        model=model.id,
        provider=provider,
        native_id=model.native_id,
        prices=prices,
        cost_prices=_cost_prices(provider, model, origin) or prices,
        context_length=context_length,
        max_output_tokens=max_output_tokens,
        name=model.name or model.id,
        input_modalities=model.input_modalities,
        usage_slack_tokens=usage_slack_tokens if model.usage_slack_tokens is None else model.usage_slack_tokens,
        reasoning_tokens_per_s=model.reasoning_tokens_per_s,
        listed=model.listed,
    )


def _prices(provider: str, model: ModelRow, origin: str) -> PriceSet | None:
    if model.price is None:
        if model.is_free:
            raise ModelInvalid("is_free", 'needs its zeros written down: price = {input = "0", output = "0"}')
        return None
    name = f"{origin}/{provider}/{model.native_id}"
    with _naming("price"):
        return price_of_row(model.price, name=name, is_free=model.is_free, source=model.source or origin)


def _cost_prices(provider: str, model: ModelRow, origin: str) -> PriceSet | None:
    """A cost of zero needs no `is_free`: it gives nothing away."""
    if model.cost is None:
        return None
    name = f"{origin}/{provider}/{model.native_id}/cost"
    with _naming("cost"):
        is_free = costs_nothing(model.cost)
        return price_of_row(model.cost, name=name, is_free=is_free, source=model.source or origin)


@contextmanager
def _naming(field: str) -> Iterator[None]:
    try:
        yield
    except PriceInvalid as error:
        of_the_model = error.field == "is_free"
        raise ModelInvalid(error.field if of_the_model else f"{field}.{error.field}", error.reason) from error
