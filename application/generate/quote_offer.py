"""What a request can cost at most on one offer."""

from collections.abc import Sequence

from application.generate.read_chat_request import ChatRequest
from application.ports import Catalog
from domain.catalog.offer import Offer
from domain.errors import DomainError
from domain.pricing.price import PriceSet
from domain.pricing.quote import Quote, quote
from domain.pricing.rate import UnpricedUnit


def priced_offers(catalog: Catalog, model: str) -> Sequence[tuple[Offer, PriceSet]]:
    """The offers of `model` that may be sold, best first.

    Raises: DomainError model_not_found; model_not_priced if it is known but nobody set a price: never served for $0.
    """
    offers = catalog.offers_of(model)
    if not offers:
        raise DomainError("model_not_found", model=model, nearest=list(catalog.nearest(model)))
    priced = [(offer, offer.prices) for offer in offers if offer.prices is not None]
    if not priced:
        raise DomainError("model_not_priced", model=model)
    return priced


def quote_offer(request: ChatRequest, offer: Offer, prices: PriceSet) -> Quote:
    """Raises: DomainError invalid_request (max_tokens beyond the context), model_not_priced (a unit has no price)."""
    asked = request.requested_tokens
    if asked is not None and asked > max(offer.context_length, offer.max_output_tokens):
        raise DomainError(
            "invalid_request",
            param=next(f for f in ("max_completion_tokens", "max_tokens") if request.body.get(f) is not None),
            message=f"max_tokens is too large: {asked}; {offer.model} has a context of {offer.context_length} tokens",
        )
    try:
        return quote(
            prices,
            max_input_tokens=min(request.max_input_tokens, offer.context_length),
            output_tokens=min(asked or offer.max_output_tokens, offer.max_output_tokens),
            choices=request.choices,
            images=request.images,
        )
    except UnpricedUnit as unpriced:
        raise DomainError("model_not_priced", model=offer.model, **unpriced.facts) from None
