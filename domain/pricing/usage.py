"""Usage: counts per unit, disjoint, as billed. Dialects translate a provider's usage object into this, at the edge."""

from collections.abc import Mapping
from itertools import repeat
from typing import Literal, get_args

from domain.errors import DomainError

Unit = Literal[
    "input",
    "cached_input",
    "cache_write_5m",
    "cache_write_1h",
    "output",
    "reasoning",
    "audio",
    "image",
    "request",
    "minute",
]
UNITS: tuple[Unit, ...] = get_args(Unit)

INPUT_UNITS: tuple[Unit, ...] = ("input", "cached_input", "cache_write_5m", "cache_write_1h")
"""The parts of a prompt: their sum is its length in tokens and chooses the price tier."""

OUTPUT_UNITS: tuple[Unit, ...] = ("output", "reasoning")
"""The parts of an answer; reasoning tokens are part of the completion and counted once."""

Usage = Mapping[Unit, int]

MAX_COUNT = 10**9
"""A thousand times today's longest context: a larger count is a provider's mistake, not usage."""


def checked(usage: Usage) -> Usage:
    """Refuse counts that cannot be true.

    Raises: DomainError usage_quarantined for a negative, absurd or non-integer count: never charged, never a credit.
    """
    for unit, count in usage.items():
        if type(count) is not int or not 0 <= count <= MAX_COUNT:
            raise DomainError("usage_quarantined", unit=unit, count=repr(count)[:40])
    return usage


def input_tokens(usage: Usage) -> int:
    return sum(map(usage.get, INPUT_UNITS, repeat(0)))


def output_tokens(usage: Usage) -> int:
    return sum(map(usage.get, OUTPUT_UNITS, repeat(0)))
