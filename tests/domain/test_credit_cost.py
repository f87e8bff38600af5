"""P8: deciding stays cheap on the largest account there may be (at most 1,000 live lots)."""

import timeit

import pytest

from domain.credit import commands as c
from domain.credit.decider import CREDIT
from domain.credit.lot import MAX_LIVE_LOTS
from domain.credit.state import CreditBalance
from tests.domain.credit_words import DAY, NOW, expire, grant, hold, per, settle, tokens
from tests.domain.credit_words import reserve as reserve_tokens
from tests.domain.given import given

BOUND_US = 200.0
OPEN = 500


@pytest.fixture(scope="module")
def largest() -> CreditBalance:
    """1,000 lots of which every other is promotional and all expire one after another, 500 open reservations."""
    lots = [
        grant(f"lot-{n}", 100_000, "promo" if n % 2 else "purchased", expires_at=NOW + (n + 1) * DAY)
        for n in range(MAX_LIVE_LOTS)
    ]
    reservations = [hold(f"r{n}", 10, key_id=f"k{n % 7}", key_limit=per("daily", 10**6)) for n in range(OPEN)]
    state: CreditBalance = given(CREDIT, *lots, *reservations).state
    return state


def reserve(**more: object) -> c.Reserve:
    return reserve_tokens("new", tokens(1_000, fixed_nusd=10), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(reserve(), id="first lot suffices"),
        pytest.param(reserve(key_id="k1", key_limit=per("daily", 10**6)), id="limited key"),
        pytest.param(reserve(burnable=("purchased",)), id="behind 500 lots of other kinds"),
        pytest.param(reserve(at=NOW + 900 * DAY), id="behind lots past their expiry"),
        pytest.param(settle("r7", 4), id="settle"),
        pytest.param(expire("r7", at=NOW + DAY), id="expire"),
    ],
)
def test_p8_a_decision_on_the_largest_account_stays_below_200_us(largest: CreditBalance, command: c.Reserve) -> None:
    best_us = min(timeit.repeat(lambda: CREDIT.run(command, largest), number=5, repeat=60)) / 5 * 1e6
    assert best_us < BOUND_US
