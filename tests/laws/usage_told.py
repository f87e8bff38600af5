"""Providers that tell the same usage in every way that was seen, and an oracle that knows the truth.

The oracle imports nothing that reads usage: it knows what was produced, because it made it up.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from hypothesis import strategies as st

Decides = Literal["total", "row", "nothing", "contradiction"]
"""What says how the counts are to be read: the object's total, the provider's row, or nothing (all is inside then). In
a contradiction the total is wrong."""

NUSD = {
    "input": 3_000,
    "cached_input": 300,
    "cache_write_5m": 3_750,
    "cache_write_1h": 6_000,
    "output": 15_000,
    "reasoning": 14_000,
}
"""Per token."""

PARTS = ("reasoning", "cached", "written")

COUNTS = st.one_of(st.just(0), st.integers(1, 40), st.integers(1, 2_000))


@dataclass(frozen=True)
class Truth:
    """What was produced, and where the provider tells the parts of it."""

    plain: int
    cached: int
    written_5m: int
    written_1h: int
    text: int
    reasoning: int
    beside: Mapping[str, bool]

    @property
    def charge_nusd(self) -> int:
        return (
            self.plain * NUSD["input"]
            + self.cached * NUSD["cached_input"]
            + self.written_5m * NUSD["cache_write_5m"]
            + self.written_1h * NUSD["cache_write_1h"]
            + self.text * NUSD["output"]
            + self.reasoning * NUSD["reasoning"]
        )

    @property
    def written(self) -> int:
        return self.written_5m + self.written_1h

    @property
    def prompt(self) -> int:
        inside = self.cached * (not self.beside["cached"]) + self.written * (not self.beside["written"])
        return self.plain + inside

    @property
    def completion(self) -> int:
        return self.text + self.reasoning * (not self.beside["reasoning"])

    @property
    def total(self) -> int:
        return self.plain + self.cached + self.written + self.text + self.reasoning


@dataclass(frozen=True)
class Case:
    """decides: see Decides.  missing: a side that is never told.  objects: as they come, the truth among them."""

    truth: Truth
    decides: Decides
    row: Mapping[str, str]
    missing: str
    objects: list[Any] = field(default_factory=list)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    decides: Decides = draw(st.sampled_from(("total", "total", "row", "nothing", "contradiction")))
    beside = {part: decides != "nothing" and draw(st.booleans()) for part in PARTS}
    truth = Truth(
        plain=draw(COUNTS) + 1,
        cached=draw(COUNTS),
        written_5m=draw(COUNTS),
        written_1h=draw(COUNTS),
        text=draw(COUNTS) + 1,
        reasoning=draw(COUNTS),
        beside=beside,
    )
    told_by_row = beside if decides == "row" else {part: decides != "nothing" and draw(st.booleans()) for part in PARTS}
    row = {f"{part}_is": "beside" if told_by_row[part] else "inside" for part in PARTS}
    missing = draw(st.sampled_from(("", "", "", "prompt", "completion")))
    names = draw(st.sampled_from(("chat", "responses")))
    whole = _told(truth, names, missing, draw(st.booleans()))
    if decides == "total" and not missing:
        whole["total_tokens"] = truth.total
    if decides == "contradiction":
        whole["total_tokens"] = truth.total + draw(st.integers(100_000, 200_000))
    return Case(truth, decides, row, missing, _stream(draw, whole))


def _told(truth: Truth, names: str, missing: str, as_floats: bool) -> dict[str, Any]:
    prompt, completion = (
        ("prompt_tokens", "completion_tokens") if names == "chat" else ("input_tokens", "output_tokens")
    )
    whole: dict[str, Any] = {
        prompt: truth.prompt,
        completion: truth.completion,
        f"{prompt}_details": {"cached_tokens": truth.cached, "cache_write_tokens": truth.written, "audio_tokens": 0},
        f"{completion}_details": {"reasoning_tokens": truth.reasoning},
        "cache_creation": {"ephemeral_1h_input_tokens": truth.written_1h},
    }
    if missing:
        whole.pop(prompt if missing == "prompt" else completion)
    if as_floats:
        whole = {name: float(value) if isinstance(value, int) else value for name, value in whole.items()}
    return whole


def _stream(draw: st.DrawFn, whole: dict[str, Any]) -> list[Any]:
    """The truth comes whole at some moment; around it nulls, zeros, empty objects, repeats and early parts."""
    zeros = {name: 0 for name in whole if name.endswith("_tokens")}
    early = {name: value for name, value in whole.items() if name != "total_tokens" and not name.endswith("_details")}
    early = {name: min(value, 1) if isinstance(value, int) else value for name, value in early.items()}
    noise = st.sampled_from([None, {}, zeros, {"total_tokens": 0}, {"cost": 1}])
    before = draw(st.lists(st.one_of(noise, st.just(early)), max_size=3))
    after = draw(st.lists(st.one_of(noise, st.just(whole)), max_size=3))
    return [*before, whole, *after]
