"""OpenAI's usage object, in its many variants -> our disjoint units.

Each token is counted once here: input + cached_input + cache_write_5m + cache_write_1h is the prompt, output +
reasoning the completion. Providers differ in two ways, and both are data (rows.UsageRow): the names of the counts, and
whether the completion's count includes reasoning, and the prompt's count cached and written tokens. A `total_tokens`
decides how to read its own object; without one the row decides.

A stream may send usage several times: for each field the last value counts. An object without counts, or one with
counts that fall back to zero, is ignored.

Nothing is validated: the core sets aside usage that cannot be true, so the counts must arrive as they were sent.
Source: platform.openai.com/docs/api-reference (chat and responses objects); openrouter.ai/docs (cache_write_tokens);
docs.x.ai (reasoning beside); Anthropic's cache_creation, which some relays pass on. Checked 2026-11-27.
"""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import product
from typing import NamedTuple

import msgspec

from adapters.outbound.providers.dialects.members import value_of
from adapters.outbound.providers.offers.rows import UsageRow
from domain.pricing.usage import Unit, Usage, input_tokens, output_tokens

NOT_A_COUNT = -1
"""Stands for NaN, a fraction or a text: no count can be negative, so the core sets the usage aside."""

UNREADABLE: Usage = {"input": NOT_A_COUNT}

MAX_RAW_BYTES = 4 * 1024
"""Kept beside the ledger for disputes; the longest usage object known has 700 bytes."""

SIDES = ("prompt", "completion")

Counts = Mapping[str, int]
"""Field of a UsageRow -> its count; fields that the provider did not send are missing."""


class UsageReading(NamedTuple):
    """The usage that a provider has sent so far.

    usage:       disjoint counts; without `input` or `output` if that side was never sent; None if neither was.
    raw:         the object for the client: as received, or several merged into one, at most MAX_RAW_BYTES.
    is_doubtful: no reading of the parts adds up to the total, or several different ones do.
    """

    usage: Usage | None
    raw: bytes
    is_doubtful: bool = False


class Reading(NamedTuple):
    """Which parts are counted beside their whole, not inside it."""

    reasoning: bool
    cached: bool
    written: bool


class UsageReader:
    """The usage of one answer: call `read` with each object received."""

    def __init__(self, row: UsageRow) -> None:
        self._row = row
        self._reading = _reading_of(row)
        self._counts: dict[str, int] = {}
        self._members: dict[str, object] = {}
        self._latest: UsageReading | None = None

    def read(self, raw: bytes) -> UsageReading | None:
        """The usage known so far, this object included; None if it is null and nothing is known."""
        try:
            members = value_of(raw)
        except (ValueError, RecursionError):
            members = ()
        if members is None:
            return self._latest
        if isinstance(members, dict):
            self._take(members, raw)
        elif not self._is_real:
            self._latest = UsageReading(UNREADABLE, raw[:MAX_RAW_BYTES])
        return self._latest

    @property
    def has_output(self) -> bool:
        """Whether the provider counted any output tokens, reasoning included."""
        return self._latest is not None and output_tokens(self._latest.usage or {}) > 0

    @property
    def _is_real(self) -> bool:
        return _says_something(self._counts)

    def _take(self, members: dict[str, object], raw: bytes) -> None:
        new = _counts_of(members, self._row)
        if not _says_something(new) and (self._is_real or not new):
            self._latest = self._latest or UsageReading(None, raw[:MAX_RAW_BYTES])
            return
        fallen = [side for side in SIDES if new.get(side) == 0 and self._counts.get(side)]
        self._counts |= {field: count for field, count in new.items() if field not in fallen} if fallen else new
        is_doubtful = self._latest is not None and self._latest.is_doubtful
        if new.get("total", 0) > 0:
            is_doubtful = self._decide(new["total"])
        usage = _disjoint(self._counts, self._reading)
        self._latest = UsageReading(usage or None, self._shown(members, raw, usage)[:MAX_RAW_BYTES], is_doubtful)

    def _decide(self, total: int) -> bool:
        """Choose the reading that explains `total`, the nearest to the present one. Returns whether doubt is left."""
        counts = self._counts
        in_question = bool(counts.get("reasoning")), bool(counts.get("cached")), bool(counts.get("written"))
        readings = _by_distance(self._reading, in_question) if any(in_question) else (self._reading,)
        explaining = [each for each in readings if _explains(counts, each, total)]
        if not explaining:
            return True
        self._reading = explaining[0]
        if len(explaining) == 1:
            return False
        charged = _disjoint(counts, self._reading)
        return any(_disjoint(counts, other) != charged for other in explaining[1:])

    def _shown(self, members: dict[str, object], raw: bytes, usage: Usage) -> bytes:
        """One object for the client: the first as received, later ones merged into it."""
        if not self._members:
            self._members = members
            return raw
        news = {name: value for name, value in members.items() if value or not self._members.get(name)}
        if "total_tokens" in self._members and "total_tokens" not in news:
            news["total_tokens"] = input_tokens(usage) + output_tokens(usage)
        self._members = {**self._members, **news}
        return _written(self._members)


def _says_something(counts: Counts) -> bool:
    return bool(counts.get("prompt") or counts.get("completion"))


FIELDS = ("prompt", "completion", "total", "cached", "written", "written_5m", "written_1h", "reasoning")


def _counts_of(members: Mapping[str, object], row: UsageRow) -> dict[str, int]:
    """For each field the count at the first of its paths that exists."""
    found: dict[str, int] = {}
    for field, paths in _paths(row):
        for outermost, inner in paths:
            value = members.get(outermost)
            if value is None:
                continue
            for name in inner:
                value = value.get(name) if isinstance(value, dict) else None
            if value is not None:
                found[field] = value if type(value) is int else _count(value)
                break
    if "written" not in found and ("written_5m" in found or "written_1h" in found):
        found["written"] = found.get("written_5m", 0) + found.get("written_1h", 0)
    return found


Path = tuple[str, tuple[str, ...]]
"""The outermost name, and the names inside it."""


@cache
def _paths(row: UsageRow) -> tuple[tuple[str, tuple[Path, ...]], ...]:
    split = {field: [path.split(".") for path in getattr(row, field)] for field in FIELDS}
    return tuple((field, tuple((names[0], tuple(names[1:])) for names in paths)) for field, paths in split.items())


def _count(value: object) -> int:
    """A whole number written as 512.0; NOT_A_COUNT for anything else that is no integer."""
    return int(value) if type(value) is float and value.is_integer() else NOT_A_COUNT


def _disjoint(counts: Counts, reading: Reading) -> dict[Unit, int]:
    """A side that was not sent has no unit. Parts larger than the whole that includes them make a count negative."""
    usage: dict[Unit, int] = {}
    if "prompt" in counts:
        cached, written, written_1h = counts.get("cached", 0), counts.get("written", 0), counts.get("written_1h", 0)
        inside = (0 if reading.cached else cached) + (0 if reading.written else written)
        usage["input"] = counts["prompt"] - inside
        if cached:
            usage["cached_input"] = cached
        if written != written_1h:
            usage["cache_write_5m"] = written - written_1h
        if written_1h:
            usage["cache_write_1h"] = written_1h
    if "completion" in counts:
        reasoning = counts.get("reasoning", 0)
        usage["output"] = counts["completion"] - (0 if reading.reasoning else reasoning)
        if reasoning:
            usage["reasoning"] = reasoning
    return usage


def _explains(counts: Counts, reading: Reading, total: int) -> bool:
    """Whether all counts add up to `total` and none is negative."""
    usage = _disjoint(counts, reading).values()
    return sum(usage) == total and min(usage, default=0) >= 0


@cache
def _by_distance(origin: Reading, in_question: tuple[bool, bool, bool]) -> Sequence[Reading]:
    """All readings of the parts in question, sorted by difference from `origin`, least first; among equals those that
    differ in reasoning come first."""
    choices = ((False, True) if asked else (so_far,) for asked, so_far in zip(in_question, origin, strict=True))
    readings = [Reading(*each) for each in product(*choices)]
    return sorted(readings, key=lambda each: (_distance(each, origin), each.reasoning == origin.reasoning))


@cache
def _reading_of(row: UsageRow) -> Reading:
    return Reading(*(where == "beside" for where in (row.reasoning_is, row.cached_is, row.written_is)))


def _distance(one: Reading, other: Reading) -> int:
    return sum(a != b for a, b in zip(one, other, strict=True))


def _written(members: object) -> bytes:
    """As JSON; half a surrogate pair, which UTF-8 cannot encode, becomes a question mark."""
    try:
        return msgspec.json.encode(members)
    except UnicodeEncodeError:
        text = json.dumps(members, ensure_ascii=False).encode("utf-8", "replace")
        return msgspec.json.encode(json.loads(text, parse_constant=lambda _: None))
