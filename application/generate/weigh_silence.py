"""Work that a provider presumably did while it sent nothing, and whether the client pays for it
(docs/reference/rules.md#unfinished-work)."""

from collections.abc import Callable

from msgspec.structs import replace

from application.generate.held import Held
from application.generate.metering.meter_answer import with_more_output
from application.generate.settle_charge import Outcome
from domain.credit.commands import Unpaid
from domain.credit.events import UnpaidCause

PRESUMED_TOKENS_PER_S = 100
"""For a model without a speed in its row: the measured speed of large reasoning models."""

SILENCE_S = 1.0
"""Pauses up to this long are normal in any stream."""

WhenGone = Callable[[Callable[[float], None]], None]
"""Takes a function to call once, with the Clock's `elapsed_s` at which a stream's client hung up, even if that was
before; it replaces an earlier function."""


class Silence:
    """Adds up a stream's pauses that were longer than SILENCE_S, from the call of its provider on."""

    def __init__(self, began_s: float) -> None:
        self._heard_s = began_s
        self._total_s = 0.0

    def end(self, now_s: float) -> None:
        """There is output again."""
        self._total_s = self.total_s(now_s)
        self._heard_s = now_s

    def total_s(self, now_s: float) -> float:
        pause_s = now_s - self._heard_s
        return self._total_s + (pause_s if pause_s > SILENCE_S else 0.0)


def weigh_silence(held: Held, outcome: Outcome, silent_s: float, cause: UnpaidCause) -> Outcome:
    """Add its silence to the outcome of a stream that was given up before its end and has our estimate as its usage.

    If the client left, silence of a model that reasons (by its offer's row) is charged. Otherwise, and at the deadline,
    it is only recorded as unpaid: what the provider presumably charges beyond `outcome`.
    """
    speed = held.offer.reasoning_tokens_per_s
    presumed = with_more_output(held, outcome.metered, round(silent_s * (speed or PRESUMED_TOKENS_PER_S)))
    if cause == "abandoned" and speed is not None:
        return replace(outcome, metered=presumed, is_billed=True)
    paid_nusd = outcome.metered.charge.total_nusd if outcome.is_billed else 0
    return replace(outcome, unpaid=Unpaid(presumed.charge.total_nusd - paid_nusd, cause))
