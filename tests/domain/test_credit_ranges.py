"""P4: what a reserve or a settle records is within stated ranges, whatever the command brings."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from domain import times
from domain.aggregates import CODEC
from domain.credit.commands import CreditCommand, Settle
from domain.credit.decider import CREDIT
from domain.credit.events import Generation, Reserved, Settled
from domain.credit.ranges import MAX_FUSD, MAX_MS, MAX_TOKENS
from domain.credit.state import CreditBalance
from domain.errors import DomainError
from domain.event import Event
from domain.money import MAX_NUSD, Nusd
from domain.pricing.quote import Quote
from domain.pricing.rate import Charge, ChargeLine
from domain.pricing.usage import MAX_COUNT
from domain.window import KeyLimit
from tests.domain.credit_words import NOW, SECOND, expire, grant, hold, reserve, settle
from tests.domain.test_ranges import MOMENTS, YEAR_0, YEAR_10000

EDGES = [-(2**63), -1, 0, 1, MAX_COUNT + 1, MAX_TOKENS + 1, MAX_NUSD, MAX_NUSD + 1, MAX_FUSD + 1, 2**63, 2**64, 10**40]
NUMBERS = st.one_of(st.integers(), st.integers(0, 10**6), st.sampled_from(EDGES))


def after(*commands: CreditCommand) -> CreditBalance:
    state: CreditBalance = CREDIT.initial
    for command in commands:
        _, state = CREDIT.run(command, state)
    return state


RICH = after(grant("lot", MAX_NUSD))
HELD = after(grant("lot", 10**9), hold("r", 100))
EXPIRED = after(grant("lot", 10**9), hold("r", 100), expire("r", at=NOW + 1_600 * SECOND))

RESERVES = st.builds(
    lambda quote, limit, deadline_at, expires_at: reserve(
        "r2", quote, key_limit=limit, deadline_at=deadline_at, expires_at=expires_at
    ),
    st.builds(Quote, NUMBERS, NUMBERS, NUMBERS),
    st.none() | st.builds(KeyLimit, NUMBERS),
    st.just(NOW) | MOMENTS,
    st.just(NOW) | MOMENTS,
)
SETTLES = st.builds(
    lambda total, line, usage, cost, ttft, total_ms, late: Settle(
        at=NOW + 1_601 * SECOND,
        reservation_id="r",
        charge=Charge(Nusd(total), "v1", (ChargeLine("input", *line),)),
        generation=Generation(
            provider="p", model="m", usage={"output": usage}, provider_cost_nusd=cost, ttft_ms=ttft, total_ms=total_ms
        ),
        late=late,
    ),
    NUMBERS,
    st.tuples(NUMBERS, NUMBERS),
    NUMBERS,
    NUMBERS,
    NUMBERS,
    NUMBERS,
    st.none() | RESERVES,
)


def decided(command: CreditCommand, state: CreditBalance) -> Sequence[Event]:
    with suppress(DomainError):
        return CREDIT.decide(command, state)
    return ()


@given(RESERVES)
def test_whatever_a_reserve_brings_its_event_is_within_the_ranges(command: CreditCommand) -> None:
    for event in decided(command, RICH):
        assert_within(event)


def test_a_late_settle_whose_expiry_has_no_time_zone_is_refused() -> None:
    late = replace(reserve("r2", Quote(0, 0, 0)), expires_at=NOW.replace(tzinfo=None))
    command = replace(settle("r", 1), at=NOW + 1_601 * SECOND, late=late)
    with pytest.raises(DomainError, match="out_of_range"):
        CREDIT.decide(command, EXPIRED)


@given(SETTLES, st.sampled_from([HELD, EXPIRED]))
def test_whatever_a_settle_brings_its_events_are_within_the_ranges(
    command: CreditCommand, state: CreditBalance
) -> None:
    for event in decided(command, state):
        assert_within(event)


def assert_within(event: Event) -> None:
    assert CODEC.decode(event.tag, CODEC.encode(event)) == event
    for value in leaves(event):
        if isinstance(value, datetime):
            assert value.tzinfo is UTC or value.utcoffset() is not None
            assert times.EARLIEST <= value < times.END
        elif isinstance(value, int):
            assert 0 <= value <= MAX_NUSD


def leaves(value: Any) -> list[Any]:
    """Every plain value of an event but the fUSD of its quote: no column holds them, they have a bound of their own."""
    if isinstance(value, Quote):
        assert 0 <= value.fixed_fusd <= MAX_FUSD and 0 <= value.per_token_fusd <= MAX_FUSD
        return [value.requested_tokens]
    if hasattr(value, "__struct_fields__"):
        return [leaf for name in value.__struct_fields__ for leaf in leaves(getattr(value, name))]
    if isinstance(value, dict):
        return [leaf for inner in value.values() for leaf in leaves(inner)]
    if isinstance(value, tuple):
        return [leaf for inner in value for leaf in leaves(inner)]
    return [value]


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"quote": Quote(-1, 0, 0)}, "quote.fixed_fusd"),
        ({"quote": Quote(MAX_FUSD + 1, 0, 0)}, "quote.fixed_fusd"),
        ({"quote": Quote(0, -1, 5)}, "quote.per_token_fusd"),
        ({"quote": Quote(0, 0, -5)}, "quote.requested_tokens"),
        ({"quote": Quote(0, 0, MAX_TOKENS + 1)}, "quote.requested_tokens"),
        ({"key_limit": KeyLimit(-1)}, "key_limit"),
        ({"key_limit": KeyLimit(MAX_NUSD + 1)}, "key_limit"),
        ({"deadline_at": YEAR_10000}, "deadline_at"),
        ({"expires_at": YEAR_0}, "expires_at"),
        ({"expires_at": datetime(2026, 11, 27)}, "expires_at"),  # noqa: DTZ001 - without a zone is the point
    ],
)
def test_a_reserve_out_of_range_is_refused_by_name(more: dict[str, Any], param: str) -> None:
    with pytest.raises(DomainError, match="out_of_range") as refused:
        CREDIT.decide(replace(reserve("r2", Quote(0, 0, 5)), **more), RICH)
    assert refused.value.facts["param"] == param


@pytest.mark.parametrize(
    ("charge", "generation", "param"),
    [
        (Charge(Nusd(1), "v1", (ChargeLine("input", -1, 1),)), {}, "charge.lines.quantity"),
        (Charge(Nusd(1), "v1", (ChargeLine("input", MAX_COUNT + 1, 1),)), {}, "charge.lines.quantity"),
        (Charge(Nusd(1), "v1", (ChargeLine("input", 1, -1),)), {}, "charge.lines.nusd_per_munit"),
        (Charge(Nusd(1), "v1"), {"usage": {"output": -1}}, "generation.usage"),
        (Charge(Nusd(1), "v1"), {"usage": {"output": 2**63}}, "generation.usage"),
        (Charge(Nusd(1), "v1"), {"provider_cost_nusd": 2**63}, "generation.cost_nusd"),
    ],
)
def test_a_settle_out_of_range_is_refused_by_name(charge: Charge, generation: dict[str, Any], param: str) -> None:
    asked = settle("r", 1)
    asked = replace(asked, charge=charge, generation=replace(asked.generation, **generation))
    with pytest.raises(DomainError, match="out_of_range") as refused:
        CREDIT.decide(asked, HELD)
    assert refused.value.facts["param"] == param


def test_the_ends_of_the_ranges_are_inside() -> None:
    ends = Quote(MAX_FUSD, 0, MAX_TOKENS)
    (reserved,) = CREDIT.decide(reserve("r2", ends, expires_at=times.LATEST, deadline_at=times.EARLIEST), RICH)
    assert isinstance(reserved, Reserved) and reserved.amount_nusd == MAX_NUSD


def test_no_charge_is_lost_over_a_duration() -> None:
    asked = settle("r", 1)
    asked = replace(asked, generation=replace(asked.generation, ttft_ms=-5, total_ms=10**30))
    (settled,) = CREDIT.decide(asked, HELD)
    assert isinstance(settled, Settled)
    assert (settled.paid_nusd, settled.generation.ttft_ms, settled.generation.total_ms) == (1, 0, MAX_MS)
