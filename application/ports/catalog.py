"""The models on sale."""

from collections.abc import Sequence
from typing import Protocol

from domain.catalog.offer import Offer


class Catalog(Protocol):
    """The models on sale, kept in memory: no call waits."""

    def offers_of(self, model: str) -> Sequence[Offer]:
        """Offers of `model`, best first; empty if no provider serves it."""
        ...

    def models(self) -> Sequence[Offer]:
        """The first offer of every model, by model id."""
        ...

    def nearest(self, model: str) -> Sequence[str]:
        """Up to three ids on sale that resemble the unknown id `model`, best first."""
        ...
