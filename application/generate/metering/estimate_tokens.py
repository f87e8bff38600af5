"""The estimate of a request when its provider sent no usage, or none that is credible."""

from collections.abc import Sequence
from functools import partial

from application.generate.held import Held
from application.generate.metering.billed_texts import answer_text, prompt_text
from application.generate.metering.meter_answer import Counted, Metered, meter_answer
from application.ports.token_counter import CountedText, TokenCounter
from domain.pricing.usage import Usage

MAX_KEPT_BYTES = 64 * 1024
"""Of a stream's chunks, for its estimate: some 250. A longer answer is assumed to go on as it began, so that a thousand
streams keep 64 MB at most."""


class MeterAnswer:
    def __init__(self, counter: TokenCounter) -> None:
        self._counter = counter

    async def __call__(
        self, held: Held, usage: Usage | None, output_bytes: int, said: Sequence[bytes], *, is_doubtful: bool = False
    ) -> Metered:
        """meter_answer, with a count of tokens where bytes alone would be a guess.

        said: a whole answer's JSON, or a stream's first chunks, to count their text; empty if it was not read.
        """
        metered = meter_answer(held, usage, output_bytes, is_doubtful=is_doubtful)
        if not metered.estimated:
            return metered
        prompt = await self._counter.count(partial(prompt_text, held.request.raw))
        answer = await self._counter.count(partial(answer_text, said)) if said else None
        counted = Counted(None if prompt is None else prompt.tokens, _of_all(answer, output_bytes))
        return meter_answer(held, usage, output_bytes, is_doubtful=is_doubtful, counted=counted)


def _of_all(counted: CountedText | None, output_bytes: int) -> int | None:
    """Tokens of the whole output, scaled up if only its beginning was kept; None if no text was kept."""
    if counted is None or not counted.text_bytes:
        return None
    return max(counted.tokens, -(-counted.tokens * output_bytes // counted.text_bytes))
