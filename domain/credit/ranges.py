"""Ranges for the numbers and times of a reserve and a settle, so that every reader of the log supports them.

Numbers that decide money are refused outside their range. Durations decide none: they are moved into their range, so
that no charge is lost because of one.
"""

from datetime import datetime

from msgspec.structs import replace

from domain import times
from domain.credit.events import Generation
from domain.errors import DomainError
from domain.money import FUSD_PER_NUSD, MAX_NUSD
from domain.pricing.quote import Quote
from domain.pricing.rate import Charge
from domain.pricing.usage import MAX_COUNT
from domain.window import KeyLimit

MAX_TOKENS = 2**31 - 1
"""Of one choice: the most that a request may ask for."""

MAX_FUSD = MAX_NUSD * FUSD_PER_NUSD
MAX_MS = 366 * 86_400_000
"""A year; no request lasts a day."""


def check_quote(quote: Quote) -> None:
    """Raises: DomainError out_of_range."""
    _check("quote.fixed_fusd", quote.fixed_fusd, MAX_FUSD)
    _check("quote.per_token_fusd", quote.per_token_fusd, MAX_FUSD)
    _check("quote.requested_tokens", quote.requested_tokens, MAX_TOKENS)


def check_limit(limit: KeyLimit | None) -> None:
    """Raises: DomainError out_of_range."""
    if limit is not None:
        _check("key_limit", limit.limit_nusd, MAX_NUSD)


def check_times(**moments: datetime) -> None:
    """Raises: DomainError out_of_range."""
    for name, moment in moments.items():
        if moment.tzinfo is None or not times.EARLIEST <= moment < times.END:
            raise DomainError("out_of_range", param=name, expected=times.RANGE)


def check_charge(charge: Charge) -> None:
    """Raises: DomainError invalid_amount, out_of_range (a line)."""
    if not 0 <= charge.total_nusd <= MAX_NUSD:
        raise DomainError("invalid_amount", param="charge", expected="zero or more, within what can be counted")
    for line in charge.lines:
        if not 0 <= line.quantity <= MAX_COUNT:
            raise _out_of_range("charge.lines.quantity", MAX_COUNT)
        if not 0 <= line.nusd_per_munit <= MAX_NUSD:
            raise _out_of_range("charge.lines.nusd_per_munit", MAX_NUSD)


def checked_generation(generation: Generation) -> Generation:
    """`generation` with its durations in range.

    Raises: DomainError out_of_range.
    """
    _check("generation.cost_nusd", generation.provider_cost_nusd, MAX_NUSD)
    for count in generation.usage.values():
        if not 0 <= count <= MAX_COUNT:
            raise _out_of_range("generation.usage", MAX_COUNT)
    if 0 <= generation.ttft_ms <= MAX_MS and 0 <= generation.total_ms <= MAX_MS:
        return generation
    return replace(generation, ttft_ms=_inside(generation.ttft_ms), total_ms=_inside(generation.total_ms))


def _check(param: str, number: int, most: int) -> None:
    if not 0 <= number <= most:
        raise _out_of_range(param, most)


def _out_of_range(param: str, most: int) -> DomainError:
    return DomainError("out_of_range", param=param, expected=f"from 0 to {most}")


def _inside(duration_ms: int) -> int:
    return min(max(duration_ms, 0), MAX_MS)
