"""Offers priced by the genai-prices package: its offline data, looked up exactly by provider and model id.

Its own matching is fuzzy and never used. Importing this module imports that data (0.3 s): load_catalog does so only
for a provider that has a key and is in the data. When you bump the package, check its figures and set CHECKED_ON.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from fnmatch import fnmatchcase
from importlib.metadata import version

from genai_prices.data import providers
from genai_prices.types import ConditionalPrice, ModelInfo, ModelPrice, StartDateConstraint, TieredPrices

from adapters.outbound.providers.offers.offers_of_row import DEFAULT_CONTEXT_LENGTH, output_limit
from adapters.outbound.providers.offers.price_of_row import DECIMALS_PER_MTOK, all_zero, named_price_set
from adapters.outbound.providers.offers.rows import LimitsRow, ProviderRow
from domain.catalog.offer import Offer
from domain.pricing.price import PriceSet, PriceTier
from domain.pricing.usage import Unit

CHECKED_VERSION = "0.2.3"
CHECKED_ON = "2026-11-22"
ORIGIN = f"genai-prices-{version('genai-prices')}"

UNITS_OF: Mapping[str, tuple[Unit, ...]] = {
    "input_mtok": ("input",),
    "cache_read_mtok": ("cached_input",),
    "cache_write_mtok": ("cache_write_5m", "cache_write_1h"),
    "cache_write_5m_mtok": ("cache_write_5m",),
    "cache_write_1h_mtok": ("cache_write_1h",),
    "output_mtok": ("output",),
    "output_reasoning_mtok": ("reasoning",),
}
"""Its price keys in our units; a later row wins. All are USD per 10**6 tokens."""

NOT_OF_CHAT: frozenset[str] = frozenset({"web_searches_kcount", "storage_searches_kcount"})
"""Prices of tools that a chat completion cannot call, so they are ignored. Any other unknown key leaves a model
unpriced."""

_NO_LIMITS = LimitsRow(models="*")


def offers_of_genai_prices(provider: str, row: ProviderRow, on: date) -> Iterator[Offer]:
    """Offers of every chat model of `row` in the data, at the prices in force on the day `on` (UTC).

    A model with prices that our units cannot express exactly is unpriced: its requests are refused, never free.
    """
    source = f"genai-prices {version('genai-prices')} (checked {CHECKED_ON})"
    for model in _models_of(row.genai_prices):
        canonical = _canonical(model.id, row)
        price = _price_on(model, on)
        if canonical and price is not None and _is_chat(model.id, price, row):
            prices = _prices(price, f"{ORIGIN}/{row.genai_prices}/{model.id}", source)
            yield _offer(provider, canonical, model, prices, row)


def _models_of(genai_id: str) -> list[ModelInfo]:
    return next((listed.models for listed in providers if listed.id == genai_id), [])


def _canonical(native_id: str, row: ProviderRow) -> str:
    if native_id in row.canonical:
        return row.canonical[native_id]
    if "/" in native_id:
        return native_id
    return f"{row.author}/{native_id}" if row.author else ""


def _price_on(model: ModelInfo, on: date) -> ModelPrice | None:
    """The last price without a condition or with a start date that has come.

    The first, unconditional price is the one before a change: it is wrong afterwards. Prices by time of day are left
    out: a charge must not depend on the minute of the call.
    """
    if isinstance(model.prices, ModelPrice):
        return model.prices if _figures(model.prices) else None
    in_force = [listed.prices for listed in model.prices if _holds(listed, on)]
    return in_force[-1] if in_force and _figures(in_force[-1]) else None


def _holds(listed: ConditionalPrice, on: date) -> bool:
    if listed.constraint is None:
        return True
    return isinstance(listed.constraint, StartDateConstraint) and listed.constraint.start_date <= on


def _figures(price: ModelPrice) -> dict[str, Decimal | TieredPrices]:
    return {key: figure for key, figure in vars(price).items() if figure is not None and key not in NOT_OF_CHAT}


def _is_chat(native_id: str, price: ModelPrice, row: ProviderRow) -> bool:
    """Text in, text out: both have a price by token, and the row's patterns agree."""
    if not {"input_mtok", "output_mtok"} <= _figures(price).keys():
        return False
    named = any(fnmatchcase(native_id, pattern) for pattern in row.chat)
    return named and not any(fnmatchcase(native_id, pattern) for pattern in row.not_chat)


def _prices(price: ModelPrice, name: str, source: str) -> PriceSet | None:
    figures = _figures(price)
    if not figures.keys() <= UNITS_OF.keys():
        return None
    tiered = [figure for figure in figures.values() if isinstance(figure, TieredPrices)]
    bounds = {0, *(tier.start for figure in tiered for tier in figure.tiers)}
    tiers = [tier for bound in sorted(bounds) if (tier := _tier(figures, bound)) is not None]
    if len(tiers) != len(bounds) or all_zero(tiers):
        return None
    return named_price_set(name, tiers, is_free=False, source=source)


def _tier(figures: Mapping[str, Decimal | TieredPrices], bound: int) -> PriceTier | None:
    """Prices of prompts above `bound` tokens; None if our units cannot express one exactly."""
    prices: dict[Unit, int] = {}
    for key, units in UNITS_OF.items():
        if key in figures:
            nusd_per_mtok = _figure_above(figures[key], bound).scaleb(DECIMALS_PER_MTOK)
            if nusd_per_mtok < 0 or nusd_per_mtok != nusd_per_mtok.to_integral_value():
                return None
            prices.update(dict.fromkeys(units, int(nusd_per_mtok)))
    return PriceTier(bound, prices)


def _figure_above(figure: Decimal | TieredPrices, bound: int) -> Decimal:
    if isinstance(figure, Decimal):
        return figure
    return next((tier.price for tier in reversed(figure.tiers) if tier.start <= bound), figure.base)


def _offer(provider: str, canonical: str, model: ModelInfo, prices: PriceSet | None, row: ProviderRow) -> Offer:
    limits = next((limits for limits in row.limits if fnmatchcase(model.id, limits.models)), _NO_LIMITS)
    context_length = model.context_window or limits.context_length or DEFAULT_CONTEXT_LENGTH
    return Offer(
        model=canonical,
        provider=provider,
        native_id=model.id,
        prices=prices,
        cost_prices=prices,
        context_length=context_length,
        max_output_tokens=output_limit(limits.max_output_tokens, context_length),
        name=model.name or canonical,
        input_modalities=limits.input_modalities,
        usage_slack_tokens=row.usage_slack_tokens,
        reasoning_tokens_per_s=limits.reasoning_tokens_per_s,
    )
