"""The catalog: all offers, in memory, by model. Implements application.ports.catalog.Catalog."""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from types import MappingProxyType

from adapters.outbound.providers.endpoint import Endpoint
from domain.catalog.offer import Offer

MOST_NEAREST = 3
NEAR_ENOUGH = 0.75
"""Ratio of difflib. Two swapped letters in ten are near; another model of the same maker mostly is not."""


class ProviderCatalog:
    """Offers of the providers that can be called, and their endpoints.

    offers: in the order of the registry. Offers of one model are sorted: priced first, then that order, then cheaper.
    """

    def __init__(self, offers: Iterable[Offer], endpoints: Mapping[str, Endpoint]) -> None:
        self.endpoints = MappingProxyType(dict(endpoints))
        self._offers = _by_model(offers, list(endpoints))
        self._models = tuple(self._offers[model][0] for model in sorted(self._offers))
        self._aliases = _bare_slugs(self._offers)
        listed = [offer.model for offer in self._models if offer.listed and offer.prices is not None]
        slugs = {slug.lower(): model for slug, model in _bare_slugs(listed).items()}
        self._spellings = slugs | {model.lower(): model for model in listed}

    def offers_of(self, model: str) -> Sequence[Offer]:
        """Offers of a canonical id, or of a bare slug that only one model has. Exact: `:free` means nothing."""
        return self._offers.get(model) or self._offers.get(self._aliases.get(model, ""), ())

    def models(self) -> Sequence[Offer]:
        return self._models

    def nearest(self, model: str) -> Sequence[str]:
        by_spelling = self._spellings
        close = get_close_matches(model.lower(), by_spelling, n=2 * MOST_NEAREST, cutoff=NEAR_ENOUGH)
        return list(dict.fromkeys(by_spelling[spelling] for spelling in close))[:MOST_NEAREST]


def _by_model(offers: Iterable[Offer], order: list[str]) -> dict[str, tuple[Offer, ...]]:
    grouped: dict[str, list[Offer]] = {}
    for offer in offers:
        grouped.setdefault(offer.model, []).append(offer)

    def rank(offer: Offer) -> tuple[bool, int, int]:
        return offer.prices is None, order.index(offer.provider), _price(offer)

    return {model: tuple(sorted(found, key=rank)) for model, found in grouped.items()}


def _price(offer: Offer) -> int:
    """Sort key for two offers of one provider: one input plus one output token in the lowest tier."""
    if offer.prices is None:
        return 0
    return sum(offer.prices.tiers[0].price_of(unit) or 0 for unit in ("input", "output"))


def _bare_slugs(models: Iterable[str]) -> dict[str, str]:
    """Slug -> model, for slugs that name exactly one."""
    found: dict[str, list[str]] = {}
    for model in models:
        found.setdefault(model.partition("/")[2], []).append(model)
    return {slug: named[0] for slug, named in found.items() if len(named) == 1}
