"""Offers from a list, best first."""

from collections.abc import Sequence
from difflib import get_close_matches

from domain.catalog.offer import Offer


class MemoryCatalog:
    def __init__(self, offers: Sequence[Offer]) -> None:
        self._offers = list(offers)

    def offers_of(self, model: str) -> Sequence[Offer]:
        named = [offer for offer in self._offers if offer.model == model]
        return named or [offer for offer in self._offers if offer.model.partition("/")[2] == model]

    def add(self, offer: Offer) -> None:
        self._offers.append(offer)

    def replace(self, offer: Offer) -> None:
        """In place of the offers of its model."""
        self._offers = [*(one for one in self._offers if one.model != offer.model), offer]

    def models(self) -> Sequence[Offer]:
        return [self.offers_of(model)[0] for model in sorted({offer.model for offer in self._offers})]

    def nearest(self, model: str) -> Sequence[str]:
        return get_close_matches(model, [offer.model for offer in self.models()], cutoff=0.75)
