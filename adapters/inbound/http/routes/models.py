"""The models on sale, in OpenRouter's shape with OpenAI's members beside it. Public."""

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Query, Request, Response

from adapters.inbound.http.callers import Using
from adapters.inbound.http.server.kept_body import KeptBody
from adapters.inbound.http.shapes.json_object import JsonObject
from adapters.inbound.http.shapes.json_shape import answer, answers, encode
from adapters.inbound.http.shapes.openrouter_members import PARAMETERS
from application.ports.chat_providers import ChatProviders
from domain.catalog.offer import Offer
from domain.errors import DomainError
from domain.pricing.price import PriceSet, PriceTier
from domain.pricing.rate import format_fusd
from domain.pricing.usage import Unit


class Pricing(msgspec.Struct, frozen=True):
    """USD per token (request, image: per one), as decimal strings without an exponent."""

    prompt: str
    completion: str
    request: str
    image: str
    input_cache_read: str
    input_cache_write: str
    internal_reasoning: str


class PricingTier(msgspec.Struct, frozen=True):
    """In force for prompts of more than `above_input_tokens` tokens; the whole request is billed in one tier."""

    above_input_tokens: int
    pricing: Pricing


class Architecture(msgspec.Struct, frozen=True):
    modality: str
    input_modalities: tuple[str, ...]
    output_modalities: tuple[str, ...]
    tokenizer: str = "Other"
    instruct_type: str | None = None


class TopProvider(msgspec.Struct, frozen=True):
    context_length: int
    max_completion_tokens: int
    is_moderated: bool = False


class Links(msgspec.Struct, frozen=True):
    details: str


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """`pricing` is the first tier's; `pricing_tiers` lists them all. `supported_parameters` are what is passed on;
    whether the model heeds one is the provider's to say."""

    id: str
    object: Literal["model"] = "model"
    canonical_slug: str
    name: str
    description: str = ""
    created: int
    owned_by: str
    context_length: int
    architecture: Architecture
    pricing: Pricing
    pricing_tiers: list[PricingTier]
    top_provider: TopProvider
    supported_parameters: tuple[str, ...]
    default_parameters: JsonObject | None = None
    per_request_limits: JsonObject | None = None
    supported_voices: tuple[str, ...] | None = None
    links: Links


class PageLinks(msgspec.Struct, frozen=True):
    """`next` is a URL; null on the last page, which is the only one."""

    next: str | None = None


class ModelList(msgspec.Struct, frozen=True):
    data: list[Model]
    total_count: int
    links: PageLinks = PageLinks()
    object: Literal["list"] = "list"


SHAPES = (Model, ModelList)


class Lists:
    """The bytes of both lists: some hundred models take 15 ms to write."""

    def __init__(self) -> None:
        self._kept: dict[bool, KeptBody[Sequence[Offer]]] = {}

    def of(self, unlisted: bool, providers: ChatProviders) -> KeptBody[Sequence[Offer]]:
        if unlisted not in self._kept:
            self._kept[unlisted] = KeptBody(lambda offers: _list(offers, unlisted, providers))
        return self._kept[unlisted]


def _list(offers: Sequence[Offer], unlisted: bool, providers: ChatProviders) -> bytes:
    priced = [(offer, offer.prices) for offer in offers if offer.prices is not None and (offer.listed or unlisted)]
    return encode(ModelList([shown(offer, prices, providers) for offer, prices in priced], len(priced)))


router = APIRouter(tags=["models"])

Unlisted = Annotated[bool, Query(description="Also models that are left out, such as the sandbox's that misbehave.")]


@router.get("/v1/models", responses=answers(ModelList, "Every model that has a price."))
async def list_models(request: Request, gateway: Using, unlisted: Unlisted = False) -> Response:
    lists: Lists = request.app.state.model_lists
    return lists.of(unlisted, gateway.providers).answer(request, gateway.catalog.models())


@router.get("/v1/models/{model:path}", responses=answers(Model, "One model."))
async def get_model(model: str, gateway: Using) -> Response:
    """By its id, slashes as they are or as %2F, or by the short name that chat takes."""
    offer = next(iter(gateway.catalog.offers_of(model)), None)
    if offer is None or offer.prices is None:
        raise DomainError("model_not_found", model=model, nearest=list(gateway.catalog.nearest(model)))
    return answer(shown(offer, offer.prices, gateway.providers))


def shown(offer: Offer, prices: PriceSet, providers: ChatProviders) -> Model:
    dropped = providers.dropped(offer, PARAMETERS)
    tiers = [PricingTier(tier.above_input_tokens, _pricing(tier)) for tier in prices.tiers]
    return Model(
        id=offer.model,
        canonical_slug=offer.model,
        name=offer.name or offer.model,
        created=offer.created,
        owned_by=offer.model.partition("/")[0],
        context_length=offer.context_length,
        architecture=Architecture(
            modality=f"{'+'.join(offer.input_modalities)}->text",
            input_modalities=offer.input_modalities,
            output_modalities=("text",),
        ),
        pricing=tiers[0].pricing,
        pricing_tiers=tiers,
        top_provider=TopProvider(offer.context_length, offer.max_output_tokens),
        supported_parameters=tuple(name for name in PARAMETERS if name not in dropped),
        links=Links(f"/api/v1/models/{offer.model}"),
    )


def _pricing(tier: PriceTier) -> Pricing:
    def per_one(unit: Unit) -> str:
        return format_fusd(tier.price_of(unit) or 0)  # nUSD per 10**6 is fUSD per one

    return Pricing(
        prompt=per_one("input"),
        completion=per_one("output"),
        request=per_one("request"),
        image=per_one("image"),
        input_cache_read=per_one("cached_input"),
        input_cache_write=per_one("cache_write_5m"),
        internal_reasoning=per_one("reasoning"),
    )
