"""What is charged when a provider's usage is missing, impossible or true (P1, P6)."""

from datetime import UTC, datetime
from uuid import UUID

import msgspec
import pytest

from application.generate.held import Held
from application.generate.metering.meter_answer import meter_answer
from application.generate.request.read_chat_request import read_body
from application.ports.key_directory import Caller
from domain.catalog.offer import Offer
from domain.credit.commands import Reserve
from domain.pricing.price import PriceSet, PriceTier
from domain.pricing.quote import quote
from domain.pricing.usage import Usage

NOW = datetime(2026, 11, 22, tzinfo=UTC)
PRICES = PriceSet("v1", (PriceTier(0, {"input": 150_000_000, "output": 600_000_000}),))
OFFER = Offer(
    model="a/m",
    provider="a",
    native_id="m",
    prices=PRICES,
    cost_prices=PRICES,
    context_length=1_000,
    max_output_tokens=100,
)
BODY = {"model": "a/m", "messages": [{"role": "user", "content": "hello"}], "max_tokens": 50}


def held() -> Held:
    request = msgspec.structs.replace(read_body(msgspec.json.encode(BODY)), prompt_bytes=80)
    reserve = Reserve(
        at=NOW,
        reservation_id="r",
        key_id="k",
        quote=quote(PRICES, max_input_tokens=80, output_tokens=50),
        deadline_at=NOW,
        expires_at=NOW,
        requested_model="a/m",
        model="a/m",
        provider="a",
        price_version="v1",
    )
    return Held(
        caller=Caller("k", "acc", "inference", "live", "active"),
        request=request,
        reservation=UUID(int=1),
        offer=OFFER,
        prices=PRICES,
        granted_tokens=50,
        reserved_nusd=reserve.quote.full_nusd,
        reserve=reserve,
        started_s=0.0,
        deadline_at=NOW,
        position=1,
    )


def test_a_credible_usage_is_charged_as_it_is() -> None:
    metered = meter_answer(held(), {"input": 10, "output": 5}, output_bytes=20)
    assert (metered.usage, metered.charge.total_nusd) == ({"input": 10, "output": 5}, 10 * 150 + 5 * 600)
    assert not metered.estimated
    assert not metered.quarantined


def test_a_missing_usage_is_estimated() -> None:
    missing = meter_answer(held(), None, output_bytes=20)
    assert missing.estimated
    assert missing.charge.total_nusd == 20 * 150 + 5 * 600  # 80 bytes of prompt, 20 of answer, four to a token


@pytest.mark.parametrize(
    ("told", "output_bytes", "charged"),
    [
        ({"input": 0, "output": 0}, 20, {"input": 20, "output": 5}),
        ({"input": 0, "output": 25}, 20, {"input": 20, "output": 25}),
        ({"input": 12, "output": 0}, 20, {"input": 12, "output": 5}),
        ({"input": 12}, 20, {"input": 12, "output": 5}),
        ({"output": 25}, 20, {"input": 20, "output": 25}),
        ({"input": 0, "output": 0}, 0, {"input": 20, "output": 0}),
    ],
)
def test_a_side_that_is_zero_or_missing_beside_a_text_is_estimated_and_flagged(
    told: Usage, output_bytes: int, charged: Usage
) -> None:
    metered = meter_answer(held(), told, output_bytes)
    assert metered.usage == charged
    assert metered.estimated
    assert not metered.quarantined


def test_a_zero_where_nothing_went_by_is_believed() -> None:
    metered = meter_answer(held(), {"input": 12, "output": 0}, output_bytes=0)
    assert (metered.usage, metered.estimated) == ({"input": 12, "output": 0}, False)


def test_what_is_doubtful_is_flagged_and_stays_within_the_reservation() -> None:
    metered = meter_answer(held(), {"input": 10, "output": 5}, 20, is_doubtful=True)
    assert (metered.usage, metered.estimated) == ({"input": 10, "output": 5}, True)
    dear = meter_answer(
        held(), {"input": 2_000, "cached_input": 30, "output": 900, "reasoning": 40}, 20, is_doubtful=True
    )
    assert dear.usage == {"input": 50, "cached_input": 30, "output": 10, "reasoning": 40}
    assert dear.charge.total_nusd <= held().reserved_nusd


@pytest.mark.parametrize(
    "poison",
    [
        {"input": -1, "output": 5},
        {"input": 2**63, "output": 5},
        {"input": 10, "output": 50 + 4_097},
        {"input": 80 + 4_097, "output": 5},
        {"input": 80, "cached_input": 4_097, "output": 5},
        {"input": 10, "audio": 5},
    ],
)
def test_what_cannot_be_true_is_set_aside_and_never_a_credit(poison: Usage) -> None:
    metered = meter_answer(held(), poison, output_bytes=20)
    assert metered.quarantined
    assert metered.estimated
    assert 0 < metered.charge.total_nusd <= held().reserved_nusd


def test_an_estimate_never_exceeds_the_reservation() -> None:
    assert meter_answer(held(), None, output_bytes=10**9).charge.total_nusd <= held().reserved_nusd


def test_more_than_reserved_but_possible_is_charged_in_full() -> None:
    metered = meter_answer(held(), {"input": 80 + 4_096, "output": 50 + 4_096}, output_bytes=20)
    assert metered.charge.total_nusd == 4_176 * 150 + 4_146 * 600 > held().reserved_nusd
    assert not metered.estimated


def test_bytes_bound_what_is_believed_and_not_the_listed_context() -> None:
    """A long-context model behind a row that lists less is not sold at a fraction."""
    long = held()
    long.request = msgspec.structs.replace(long.request, prompt_bytes=1_200_000)
    metered = meter_answer(long, {"input": 300_000, "output": 5}, output_bytes=20)
    assert (metered.usage["input"], metered.estimated) == (300_000, False)


def test_a_row_may_believe_more() -> None:
    generous = held()
    generous.offer = msgspec.structs.replace(OFFER, usage_slack_tokens=100_000)
    assert not meter_answer(generous, {"input": 50_000, "output": 5}, output_bytes=20).quarantined
