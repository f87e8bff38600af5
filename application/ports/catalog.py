"""The models on sale."""

from collections.abc import Sequence
from typing import Protocol

from domain.catalog.offer import Offer


class Catalog(Protocol):
    """The models on sale. In memory, so no waiting."""

    def offers_of(self, model: str) -> Sequence[Offer]:
        """Offers of a model, best first; empty if nobody serves it."""
        ...

    def models(self) -> Sequence[Offer]:
        """The first offer of every model, by model id."""
        ...

    def nearest(self, model: str) -> Sequence[str]:
        """Ids on sale that `model`, which is none, may have meant; best first, three at most."""
        ...
