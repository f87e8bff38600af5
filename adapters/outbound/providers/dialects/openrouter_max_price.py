"""`provider.max_price` of a relay that lets callers choose among upstreams: none may cost more than our price.

The customer pays our price for any upstream, so we would pay the difference to a dearer one. USD per 10**6 tokens,
or per request or image: openrouter.ai/docs/features/provider-routing, sdk MaxPrice (checked 2026-11-27).
"""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

import msgspec
from msgspec import Raw

from adapters.outbound.providers.dialects.members import Members
from domain.money import format_usd
from domain.pricing.price import PriceSet
from domain.pricing.rate import format_fusd

MEMBER, MAX_PRICE = "provider", "max_price"

_members = msgspec.json.Decoder(Members).decode
_encode = msgspec.json.Encoder().encode


def with_max_price(provider: Raw | None, prices: PriceSet) -> bytes:
    """The client's `provider` member (None if it sent none) with our prices as bounds; its own lower bounds stay.

    A value that is not an object is replaced: it names no upstream.
    """
    wishes = _object(provider)
    return _encode({**wishes, MAX_PRICE: Raw(_encode(_lowest(_object(wishes.get(MAX_PRICE)), _ours(prices))))})


def _ours(prices: PriceSet) -> Mapping[str, str]:
    """Our prices by OpenRouter's names. Without a price for `request`, a request may cost nothing but its tokens."""
    cheapest = prices.tiers[0]
    ours = {"request": format_fusd(cheapest.price_of("request") or 0)}
    for name, unit in (("prompt", cheapest.price_of("input")), ("completion", cheapest.price_of("output"))):
        if unit is not None:
            ours[name] = format_usd(unit)
    image = cheapest.price_of("image")
    return ours if image is None else {**ours, "image": format_fusd(image)}


def _lowest(theirs: Members, ours: Mapping[str, str]) -> Members:
    bounds = dict(theirs)
    for name, price in ours.items():
        asked = _number(theirs.get(name))
        if asked is None or asked > Decimal(price):
            bounds[name] = Raw(price.encode())
    return bounds


def _number(raw: Raw | None) -> Decimal | None:
    """A price, as a number or as text; None if it is not a price: then ours applies."""
    if raw is None:
        return None
    try:
        number = Decimal(bytes(raw).decode().strip().strip('"'))
    except (InvalidOperation, ValueError):
        return None
    return number if number.is_finite() and number >= 0 else None


def _object(raw: Raw | None) -> Members:
    try:
        return {} if raw is None else _members(raw)
    except (msgspec.DecodeError, RecursionError):
        return {}
