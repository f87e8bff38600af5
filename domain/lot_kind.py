"""Kinds of credit, and which burns first (docs/reference/rules.md#lots-and-burn-order)."""

from typing import Literal

LotKind = Literal["allowance", "trial", "promo", "purchased"]

PRIORITY: dict[LotKind, int] = {"allowance": 10, "trial": 20, "promo": 30, "purchased": 40}
"""Lower burns first: credit that lapses soonest burns before credit that was paid for."""
