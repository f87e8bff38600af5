"""What application.ports.catalog promises."""

from collections.abc import Callable, Mapping, Sequence

from msgspec.structs import replace

from adapters.outbound.providers.offers.catalog import ProviderCatalog
from application.ports.catalog import Catalog
from domain.catalog.offer import Offer
from domain.pricing.price import PriceSet, PriceTier
from tests.adapters.providers.call_words import an_endpoint, an_offer
from tests.fakes.memory_catalog import MemoryCatalog

PRICES = PriceSet("p1", (PriceTier(0, {"input": 1, "output": 1}),))


def provider_catalog(offers: Sequence[Offer]) -> ProviderCatalog:
    return ProviderCatalog(offers, {"acme": an_endpoint(), "other": an_endpoint()})


PORT = Catalog
SUBJECTS: Mapping[str, Callable[[Sequence[Offer]], Catalog]] = {"memory": MemoryCatalog, "providers": provider_catalog}


def priced(model: str, provider: str = "acme") -> Offer:
    return replace(an_offer(provider, model), prices=PRICES)


FIRST, SECOND, OTHER = priced("acme/m-large"), priced("acme/m-large", "other"), priced("acme/a")


def test_offers_of_a_model_come_best_first(subject: str) -> None:
    catalog = SUBJECTS[subject]([FIRST, SECOND, OTHER])
    assert list(catalog.offers_of("acme/m-large")) == [FIRST, SECOND]
    assert list(catalog.offers_of("acme/none")) == []


def test_a_bare_slug_is_the_model_that_has_it(subject: str) -> None:
    assert list(SUBJECTS[subject]([FIRST, SECOND, OTHER]).offers_of("a")) == [OTHER]


def test_models_are_the_first_offers_by_id(subject: str) -> None:
    assert list(SUBJECTS[subject]([FIRST, SECOND, OTHER]).models()) == [OTHER, FIRST]


def test_a_near_miss_names_what_was_meant_and_a_far_one_nothing(subject: str) -> None:
    many = [priced(f"acme/m-large-{n}") for n in range(5)]
    catalog = SUBJECTS[subject]([FIRST, SECOND, OTHER, *many])
    near = catalog.nearest("acme/m-larg")
    assert near[0] == "acme/m-large"
    assert len(near) == len(set(near)) == 3
    assert list(catalog.nearest("zzz/quite-another")) == []
