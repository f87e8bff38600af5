"""The usage that a model claims, as JSON bytes: mostly true, sometimes not."""

from collections.abc import Callable

import msgspec

from adapters.embedded.sandbox.produce import Produced

UsageClaim = Callable[[Produced], bytes | None]


def honest(produced: Produced) -> bytes | None:
    return _claim(produced.prompt_tokens, produced.completion_tokens)


def missing(produced: Produced) -> bytes | None:
    return None


def negative(produced: Produced) -> bytes | None:
    return _claim(produced.prompt_tokens, -produced.completion_tokens)


def not_a_number(produced: Produced) -> bytes | None:
    """Not strict JSON, but Python's json module writes it."""
    return b'{"prompt_tokens":NaN,"completion_tokens":NaN,"total_tokens":NaN}'


def huge(produced: Produced) -> bytes | None:
    return _claim(produced.prompt_tokens, 2**63)


def _claim(prompt_tokens: int, completion_tokens: int) -> bytes:
    return msgspec.json.encode(
        {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": completion_tokens,
            "total_tokens": prompt_tokens + completion_tokens,
            "prompt_tokens_details": {"cached_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0},
        }
    )
