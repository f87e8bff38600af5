"""What a provider presumably did while it said nothing, and whether the client pays it
(docs/reference/rules.md#unfinished-work)."""

from collections.abc import Callable

from msgspec.structs import replace

from application.generate.held import Held
from application.generate.metering.meter_answer import with_more_output
from application.generate.settle_charge import Outcome
from domain.credit.commands import Unpaid
from domain.credit.events import UnpaidCause

PRESUMED_TOKENS_PER_S = 100
"""Of a model whose row names no speed: what large reasoning models were measured to think at."""

SILENCE_S = 1.0
"""Pauses up to this long lie between the parts of any stream."""

WhenGone = Callable[[Callable[[float], None]], None]
"""Takes what to call, once, with the Clock's `elapsed_s` when the client of a stream hung up, be it before; it replaces
what was given before."""


class Silence:
    """Adds up the pauses of a stream that were longer than SILENCE_S, from the call of its provider on."""

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
    """The outcome of a stream that was given up before its end and whose usage is our estimate, with its silence.

    A model that reasons, by its offer's row, is charged for it where the client left. Else, and where the deadline
    passed, it is only stated: what the provider presumably charges beyond what `outcome` does.
    """
    speed = held.offer.reasoning_tokens_per_s
    presumed = with_more_output(held, outcome.metered, round(silent_s * (speed or PRESUMED_TOKENS_PER_S)))
    if cause == "abandoned" and speed is not None:
        return replace(outcome, metered=presumed, is_billed=True)
    paid_nusd = outcome.metered.charge.total_nusd if outcome.is_billed else 0
    return replace(outcome, unpaid=Unpaid(presumed.charge.total_nusd - paid_nusd, cause))
