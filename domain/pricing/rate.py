"""Rating: usage x prices -> charge, exact until its one rounding (P6)."""

import msgspec

from domain.errors import DomainError
from domain.money import FUSD_PER_USD, MAX_NUSD, ROUNDING_RULE, Nusd, round_half_even
from domain.pricing.price import PriceSet, PriceTier
from domain.pricing.usage import Unit, Usage, checked, input_tokens


class UnpricedUnit(DomainError):
    """A non-zero unit has no price: we refuse rather than give away."""

    def __init__(self, unit: str, version: str) -> None:
        super().__init__("unpriced_unit", unit=unit, price_version=version)


class ChargeLine(msgspec.Struct, frozen=True, array_like=True):
    """`quantity` units at `nusd_per_munit` per 10**6 units; the product is the exact cost in fUSD."""

    unit: Unit
    quantity: int
    nusd_per_munit: int

    @property
    def cost_fusd(self) -> int:
        return self.quantity * self.nusd_per_munit


class Charge(msgspec.Struct, frozen=True):
    """What a request costs the customer. `total_nusd` is the once-rounded sum of the exact lines."""

    total_nusd: Nusd
    price_version: str
    lines: tuple[ChargeLine, ...] = ()
    rounding: str = ROUNDING_RULE


def rate(usage: Usage, prices: PriceSet) -> Charge:
    """Price `usage` line by line; the sum is rounded once, half-even, to a whole nUSD.

    usage:   counts per unit, disjoint: {"input": 1_200, "cached_input": 800} means 2,000 tokens were sent.
    prices:  in force when the request began (not at settlement).
    Returns: Charge; its lines keep quantity and price, so that a human can redo the sum.
    Raises:  UnpricedUnit if a non-zero unit has no price (but see COUNTED_BY_US); DomainError usage_quarantined for
             impossible counts or an impossible sum.
    Source:  docs/explanation/money.md; OpenAI usage object (checked 2026-11-22).
    """
    tier = prices.tier_for(input_tokens(checked(usage)))
    billed = [(unit, count) for unit, count in usage.items() if count and tier.is_billed(unit)]
    lines = tuple([_line(unit, count, tier, prices.version) for unit, count in billed])
    total_nusd = round_half_even(sum([line.cost_fusd for line in lines]))
    if total_nusd > MAX_NUSD:
        raise DomainError("usage_quarantined", unit="charge", count=repr(total_nusd)[:40])
    return Charge(total_nusd=total_nusd, price_version=prices.version, lines=lines)


def format_fusd(amount_fusd: int) -> str:
    """USD with up to fifteen decimals: the exact text of a charge line; only the sum of lines is rounded."""
    whole, rest = divmod(amount_fusd, FUSD_PER_USD)
    return f"{whole}.{rest:015d}".rstrip("0") if rest else str(whole)


def _line(unit: Unit, count: int, tier: PriceTier, version: str) -> ChargeLine:
    price = tier.price_of(unit)
    if price is None:
        raise UnpricedUnit(unit, version)
    return ChargeLine(unit, count, price)
