"""What a request can cost at most on one offer."""

from collections.abc import Iterator, Sequence

from application.generate.request.read_chat_request import ChatRequest
from application.ports.catalog import Catalog
from domain.catalog.offer import Offer
from domain.errors import DomainError
from domain.pricing.price import PriceSet
from domain.pricing.quote import Quote, quote
from domain.pricing.rate import UnpricedUnit


def offers_for(catalog: Catalog, request: ChatRequest) -> Sequence[tuple[Offer, PriceSet]]:
    """The offers that may be sold and can take `request`, best first.

    Raises: DomainError model_not_found; model_not_priced if it is known but has no price: it is never served for $0;
            invalid_request if no offer can take the request, naming the part in `param`.
    """
    priced = _priced_offers(catalog, request.model)
    able = [(offer, prices) for offer, prices in priced if next(_cannot_take(request, offer), None) is None]
    if not able:
        raise next(_cannot_take(request, priced[0][0]))
    return able


def _priced_offers(catalog: Catalog, model: str) -> Sequence[tuple[Offer, PriceSet]]:
    offers = catalog.offers_of(model)
    if not offers:
        raise DomainError("model_not_found", model=model, nearest=list(catalog.nearest(model)))
    priced = [(offer, offer.prices) for offer in offers if offer.prices is not None]
    if not priced:
        raise DomainError("model_not_priced", model=model)
    return priced


def quote_offer(request: ChatRequest, offer: Offer, prices: PriceSet) -> Quote:
    """For an offer that can take the request. Raises: DomainError model_not_priced (a unit has no price)."""
    asked = request.requested_tokens
    try:
        return quote(
            prices,
            max_input_tokens=min(request.most_input_tokens(offer.context_length), offer.context_length),
            output_tokens=min(asked or offer.max_output_tokens, offer.max_output_tokens),
            choices=request.choices,
            images=request.images,
        )
    except UnpricedUnit as unpriced:
        raise DomainError("model_not_priced", model=offer.model, **unpriced.facts) from None


def _cannot_take(request: ChatRequest, offer: Offer) -> Iterator[DomainError]:
    """Refuse a limit beyond the context, and files, audio and video that the model is not known to take: a provider
    bills what it makes of them (pages read, frames sampled) in ways that no price here covers."""
    asked = request.requested_tokens
    if asked is not None and asked > max(offer.context_length, offer.max_output_tokens):
        message = f"max_tokens is too large: {asked}; {offer.model} has a context of {offer.context_length} tokens"
        yield DomainError("invalid_request", param=request.limit_field, message=message)
    for part in request.beyond:
        if part.kind != "unknown" and part.kind not in offer.input_modalities:
            message = f"{offer.model} is not known to take {part.kind} input"
            yield DomainError("invalid_request", param=part.param, message=message)
