"""Usage objects become disjoint counts, unchecked: what cannot be true must reach the core (PRODUCT §1)."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.outbound.providers.dialects.openai_usage import usage_of
from domain.errors import DomainError
from domain.pricing.usage import INPUT_UNITS, OUTPUT_UNITS, checked

COUNTS = st.integers(0, 10**9)


def told(**usage: Any) -> bytes:
    return msgspec.json.encode(usage)


@given(COUNTS, COUNTS, COUNTS, COUNTS, COUNTS, COUNTS)
def test_each_token_is_counted_once(plain: int, cached: int, m5: int, h1: int, text: int, reasoning: int) -> None:
    usage = usage_of(
        told(
            prompt_tokens=plain + cached + m5 + h1,
            completion_tokens=text + reasoning,
            prompt_tokens_details={"cached_tokens": cached, "cache_write_tokens": m5 + h1},
            cache_creation={"ephemeral_5m_input_tokens": m5, "ephemeral_1h_input_tokens": h1},
            completion_tokens_details={"reasoning_tokens": reasoning},
        )
    )
    assert usage is not None
    assert sum(usage.get(unit, 0) for unit in INPUT_UNITS) == plain + cached + m5 + h1
    assert sum(usage.get(unit, 0) for unit in OUTPUT_UNITS) == text + reasoning
    assert usage.get("cached_input", 0) == cached
    assert usage.get("cache_write_1h", 0) == h1
    assert usage.get("reasoning", 0) == reasoning


@pytest.mark.parametrize(
    "raw",
    [b"null", told(), told(prompt_tokens=3), told(completion_tokens=3), told(prompt_tokens=3, completion_tokens=None)],
)
def test_missing_is_not_zero(raw: bytes) -> None:
    assert usage_of(raw) is None


def test_zero_is_a_count() -> None:
    assert usage_of(told(prompt_tokens=0, completion_tokens=0)) == {"input": 0, "output": 0}


@pytest.mark.parametrize(
    "raw",
    [
        b'{"prompt_tokens":NaN,"completion_tokens":1}',
        b'{"prompt_tokens":1,"completion_tokens":Infinity}',
        b'{"prompt_tokens":1,"completion_tokens":1e400}',
        b'{"prompt_tokens":1.5,"completion_tokens":1}',
        b'{"prompt_tokens":1.0,"completion_tokens":1}',
        b'{"prompt_tokens":"12","completion_tokens":1}',
        b'{"prompt_tokens":true,"completion_tokens":1}',
        b'{"prompt_tokens":[],"completion_tokens":1}',
        b'{"prompt_tokens":-5,"completion_tokens":1}',
        b'{"prompt_tokens":5,"completion_tokens":-1}',
        b'{"prompt_tokens":9223372036854775808,"completion_tokens":1}',
        b'{"prompt_tokens":1,"completion_tokens":99999999999999999999999999999999999999}',
        b'{"prompt_tokens":5,"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":6}}',
        b'{"prompt_tokens":5,"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":"x"}}',
        b'{"prompt_tokens":5,"completion_tokens":1,"completion_tokens_details":{"reasoning_tokens":2}}',
        b"[]",
        b'"many"',
        b"{",
        b'{"prompt_tokens":' + b"9" * 5_000 + b',"completion_tokens":1}',
        b"[" * 100_000,
    ],
)
def test_what_cannot_be_true_reaches_the_core_and_is_quarantined_there(raw: bytes) -> None:
    usage = usage_of(raw)
    assert usage is not None
    with pytest.raises(DomainError, match="usage_quarantined"):
        checked(usage)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["", "7", "x"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["cached_tokens", "x"]), inner, max_size=2)
    ),
)
FIELDS = st.sampled_from(
    [
        "prompt_tokens",
        "completion_tokens",
        "prompt_tokens_details",
        "completion_tokens_details",
        "cached_tokens",
        "total_tokens",
    ]
)


@given(st.dictionaries(FIELDS, JSON))
def test_any_object_gives_integers_or_nothing(usage: dict[str, Any]) -> None:
    counts = usage_of(msgspec.json.encode(usage))
    assert counts is None or all(type(count) is int for count in counts.values())


@given(
    COUNTS,
    st.one_of(
        st.floats(), st.sampled_from(["", "7", "x"]), st.booleans(), st.integers(max_value=-1), st.integers(10**9 + 1)
    ),
)
def test_no_poison_in_one_field_can_look_plausible(good: int, poison: Any) -> None:
    for field in ("prompt_tokens", "completion_tokens"):
        usage = {"prompt_tokens": good, "completion_tokens": good, field: poison}
        counts = usage_of(msgspec.json.encode(usage))
        if counts is not None:  # NaN is written as null: missing
            with pytest.raises(DomainError):
                checked(counts)
