"""Usage objects become disjoint counts, unchecked: what cannot be true must reach the core
(docs/reference/rules.md#usage-and-estimates)."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.outbound.providers.dialects.openai_usage import UsageReader, UsageReading
from adapters.outbound.providers.offers.rows import UsageRow
from domain.errors import DomainError
from domain.pricing.usage import INPUT_UNITS, OUTPUT_UNITS, Usage, checked

COUNTS = st.integers(0, 10**9)


def told(**usage: Any) -> bytes:
    return msgspec.json.encode(usage)


def read(*objects: bytes, row: UsageRow | None = None) -> UsageReading | None:
    """All that a stream with these usage objects has told."""
    reader = UsageReader(row or UsageRow())
    return [reader.read(raw) for raw in objects][-1]


def usage_of(*objects: bytes, row: UsageRow | None = None) -> Usage | None:
    found = read(*objects, row=row)
    return found.usage if found else None


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
    [b"null", told(), told(total_tokens=9), told(prompt_tokens=None, completion_tokens=None), told(cost=0.1)],
)
def test_missing_is_not_zero(raw: bytes) -> None:
    assert usage_of(raw) is None


def test_a_side_that_is_missing_is_not_zero_either() -> None:
    assert usage_of(told(prompt_tokens=3)) == {"input": 3}
    assert usage_of(told(prompt_tokens=None, completion_tokens=3)) == {"output": 3}


@pytest.mark.parametrize("written", [b"512", b"512.0", b"5.12e2", b"51200e-2"])
def test_a_whole_number_is_a_count_however_it_is_written(written: bytes) -> None:
    raw = b'{"prompt_tokens":%b,"completion_tokens":%b}' % (written, written)
    assert usage_of(raw) == {"input": 512, "output": 512}


def test_zero_is_a_count() -> None:
    assert usage_of(told(prompt_tokens=0, completion_tokens=0)) == {"input": 0, "output": 0}


@pytest.mark.parametrize(
    "raw",
    [
        b'{"prompt_tokens":NaN,"completion_tokens":1}',
        b'{"prompt_tokens":1,"completion_tokens":Infinity}',
        b'{"prompt_tokens":1,"completion_tokens":1e400}',
        b'{"prompt_tokens":1.5,"completion_tokens":1}',
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
        st.floats().filter(lambda count: not count.is_integer() or not 0 <= count <= 10**9),
        st.sampled_from(["", "7", "x"]),
        st.booleans(),
        st.integers(max_value=-1),
        st.integers(10**9 + 1),
    ),
)
def test_no_poison_in_one_field_can_look_plausible(good: int, poison: Any) -> None:
    for field in ("prompt_tokens", "completion_tokens"):
        usage = {"prompt_tokens": good, "completion_tokens": good, field: poison}
        counts = usage_of(msgspec.json.encode(usage))
        assert counts is not None
        if len(counts) == 2:  # NaN is written as null: then this side is missing
            with pytest.raises(DomainError):
                checked(counts)


XAI = told(
    prompt_tokens=10_120,
    completion_tokens=1_499,
    total_tokens=14_428,
    prompt_tokens_details={"cached_tokens": 128},
    completion_tokens_details={"reasoning_tokens": 2_809},
)
"""xAI's own figures, as its users report them."""


def test_a_total_says_that_reasoning_is_beside_the_completion() -> None:
    assert usage_of(XAI) == {"input": 9_992, "cached_input": 128, "output": 1_499, "reasoning": 2_809}


def test_a_total_says_that_cached_tokens_are_beside_the_prompt() -> None:
    raw = told(prompt_tokens=10, completion_tokens=5, total_tokens=2_015, cached_tokens=2_000)
    assert usage_of(raw) == {"input": 10, "cached_input": 2_000, "output": 5}


def test_without_a_total_the_row_says_so() -> None:
    raw = told(
        prompt_tokens=10, completion_tokens=5, reasoning_tokens=3, cached_tokens=7, cache_creation_input_tokens=2
    )
    assert usage_of(raw) == {"input": 1, "cached_input": 7, "cache_write_5m": 2, "output": 2, "reasoning": 3}
    row = UsageRow(reasoning_is="beside", cached_is="beside", written_is="beside")
    assert usage_of(raw, row=row) == {"input": 10, "cached_input": 7, "cache_write_5m": 2, "output": 5, "reasoning": 3}


def test_a_total_that_no_reading_explains_is_doubtful_and_the_row_is_followed() -> None:
    found = read(told(prompt_tokens=10, completion_tokens=20, total_tokens=530, reasoning_tokens=5))
    assert found is not None
    assert found.is_doubtful
    assert found.usage == {"input": 10, "output": 15, "reasoning": 5}


def test_a_total_that_several_readings_explain_is_doubtful_only_if_they_charge_differently() -> None:
    found = read(
        told(prompt_tokens=100, completion_tokens=100, total_tokens=250, reasoning_tokens=50, cached_tokens=50)
    )
    assert found is not None
    assert found.is_doubtful
    found = read(told(prompt_tokens=100, completion_tokens=100, total_tokens=200, reasoning_tokens=0, cached_tokens=0))
    assert found is not None
    assert not found.is_doubtful


def test_a_row_does_not_settle_what_a_total_leaves_open() -> None:
    """The row may be wrong: that is why the total is asked first."""
    found = read(
        told(prompt_tokens=1, completion_tokens=2, total_tokens=4, reasoning_tokens=1, cached_tokens=1),
        row=UsageRow(reasoning_is="beside"),
    )
    assert found is not None
    assert found.is_doubtful


@pytest.mark.parametrize("total", [0, -1, "x", None, 1.5])
def test_a_total_that_is_no_count_decides_nothing(total: Any) -> None:
    found = read(told(prompt_tokens=10, completion_tokens=5, total_tokens=total, reasoning_tokens=3))
    assert found == UsageReading({"input": 10, "output": 2, "reasoning": 3}, found.raw if found else b"", False)


def test_the_names_of_responses_are_read_too() -> None:
    raw = told(
        input_tokens=100,
        output_tokens=50,
        total_tokens=150,
        input_tokens_details={"cached_tokens": 20},
        output_tokens_details={"reasoning_tokens": 30},
    )
    assert usage_of(raw) == {"input": 80, "cached_input": 20, "output": 20, "reasoning": 30}


def test_written_tokens_may_be_told_by_how_long_they_are_kept_alone() -> None:
    raw = told(
        prompt_tokens=100,
        completion_tokens=1,
        cache_creation={"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20},
    )
    assert usage_of(raw) == {"input": 70, "cache_write_5m": 10, "cache_write_1h": 20, "output": 1}


def test_a_row_names_other_paths() -> None:
    row = UsageRow(prompt=("meta.tokens.billed_input",), completion=("meta.tokens.billed_output",))
    raw = told(meta={"tokens": {"billed_input": 7, "billed_output": 8}}, prompt_tokens=99, completion_tokens=99)
    assert usage_of(raw, row=row) == {"input": 7, "output": 8}


REAL = told(prompt_tokens=120, completion_tokens=33, total_tokens=153)


@pytest.mark.parametrize(
    "later",
    [
        told(prompt_tokens=0, completion_tokens=0, total_tokens=0),
        told(),
        told(cost=0.5),
        told(prompt_tokens=None, completion_tokens=None),
        told(total_tokens=0),
        b"null",
        b"[]",
        b'"x"',
        b"{",
    ],
)
def test_what_tells_nothing_never_replaces_what_was_told(later: bytes) -> None:
    assert usage_of(REAL, later) == usage_of(later, REAL) == {"input": 120, "output": 33}


def test_zeros_behind_real_counts_take_back_no_part_either() -> None:
    real = told(prompt_tokens=120, completion_tokens=33, prompt_tokens_details={"cached_tokens": 100})
    zeros = told(prompt_tokens=0, completion_tokens=0, prompt_tokens_details={"cached_tokens": 0})
    assert usage_of(real, zeros) == {"input": 20, "cached_input": 100, "output": 33}


def test_the_last_word_counts_for_each_field_and_is_never_a_sum() -> None:
    first = told(prompt_tokens=120, completion_tokens=1, prompt_tokens_details={"cached_tokens": 100})
    assert usage_of(first, told(completion_tokens=33)) == {"input": 20, "cached_input": 100, "output": 33}
    assert usage_of(REAL, REAL, REAL) == {"input": 120, "output": 33}
    assert usage_of(REAL, told(prompt_tokens=120, completion_tokens=0)) == {"input": 120, "output": 33}


def test_a_total_belongs_to_the_object_that_brought_it() -> None:
    """Held against later counts it would explain nothing, or the wrong reading."""
    early = told(prompt_tokens=120, completion_tokens=1, total_tokens=121)
    late = told(prompt_tokens=120, completion_tokens=50, completion_tokens_details={"reasoning_tokens": 20})
    found = read(early, late)
    assert found is not None
    assert (found.usage, found.is_doubtful) == ({"input": 120, "output": 30, "reasoning": 20}, False)


def test_what_the_client_sees_is_one_object_with_all_that_was_told() -> None:
    found = read(told(prompt_tokens=120, completion_tokens=0, total_tokens=120), told(completion_tokens=33), told())
    assert found is not None
    assert msgspec.json.decode(found.raw) == {"prompt_tokens": 120, "completion_tokens": 33, "total_tokens": 153}


@pytest.mark.parametrize(("total", "is_doubtful"), [(150, False), (160, True), (170, False), (155, True)])
def test_a_total_that_two_readings_explain_leaves_doubt(total: int, is_doubtful: bool) -> None:
    """160: ten tokens are counted beside their side, either the cached ones or the reasoning."""
    found = read(
        told(
            prompt_tokens=100,
            completion_tokens=50,
            total_tokens=total,
            prompt_tokens_details={"cached_tokens": 10},
            completion_tokens_details={"reasoning_tokens": 10},
        )
    )
    assert found is not None
    assert found.is_doubtful is is_doubtful
