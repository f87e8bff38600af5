"""OpenAI's usage object -> our disjoint units.

prompt_tokens includes cached and cache-written tokens, completion_tokens includes reasoning tokens; here each token is
counted once: input + cached_input + cache_write_5m + cache_write_1h = prompt_tokens, output + reasoning =
completion_tokens. Nothing is validated: the core quarantines what cannot be true, so it must arrive as it was told.
Source: platform.openai.com/docs/api-reference/chat/object; openrouter.ai/docs (cache_write_tokens); Anthropic's
cache_creation, which some relays pass on.
"""

from typing import Any

from adapters.outbound.providers.dialects.members import value_of
from domain.pricing.usage import Usage

NOT_A_COUNT = -1
"""Stands for NaN, a fraction, a text: no count can be negative, so the core sets the usage aside."""

UNREADABLE: Usage = {"input": NOT_A_COUNT}

_CACHED = (("prompt_tokens_details", "cached_tokens"), ("cached_tokens",), ("prompt_cache_hit_tokens",))
_WRITTEN = (("prompt_tokens_details", "cache_write_tokens"), ("cache_creation_input_tokens",))
_WRITTEN_1H = (("cache_creation", "ephemeral_1h_input_tokens"),)
_REASONING = (("completion_tokens_details", "reasoning_tokens"), ("reasoning_tokens",))


def usage_of(raw: bytes) -> Usage | None:
    """Counts in the JSON value `raw`. None if it tells no prompt_tokens or no completion_tokens: missing is not zero.

    Counts are passed on as they are, be they negative or absurd; what is not an integer counts as -1.
    """
    try:
        told = value_of(raw)
    except (ValueError, RecursionError):
        return UNREADABLE
    if told is None:
        return None
    if not isinstance(told, dict):
        return UNREADABLE
    prompt, completion = _count(told, (("prompt_tokens",),)), _count(told, (("completion_tokens",),))
    if prompt is None or completion is None:
        return None
    return _disjoint(told, prompt, completion)


def _disjoint(told: dict[str, Any], prompt: int, completion: int) -> Usage:
    cached = _count(told, _CACHED) or 0
    written = _count(told, _WRITTEN) or 0
    written_1h = _count(told, _WRITTEN_1H) or 0
    reasoning = _count(told, _REASONING) or 0
    usage: Usage = {
        "input": prompt - cached - written,
        "cached_input": cached,
        "cache_write_5m": written - written_1h,
        "cache_write_1h": written_1h,
        "output": completion - reasoning,
        "reasoning": reasoning,
    }
    return {unit: count for unit, count in usage.items() if count or unit in ("input", "output")}


def _count(told: dict[str, Any], paths: tuple[tuple[str, ...], ...]) -> int | None:
    """The first of `paths` that is there; None if none is."""
    for path in paths:
        found: Any = told
        for name in path:
            found = found.get(name) if isinstance(found, dict) else None
        if found is not None:
            return found if type(found) is int else NOT_A_COUNT
    return None
