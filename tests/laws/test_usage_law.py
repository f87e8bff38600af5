"""Whatever way a provider tells its usage, the charge is the truth's, or it is flagged and within the reservation."""

from typing import Any

import msgspec
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from adapters.outbound.providers.dialects.openai import read_answer, read_stream
from adapters.outbound.providers.offers.rows import UsageRow
from application.generate.held import Held
from application.generate.metering.meter_answer import Metered, meter_answer
from domain.pricing.price import PriceSet, PriceTier
from domain.pricing.quote import quote
from tests.adapters.providers.call_words import a_call, an_endpoint, last_usage
from tests.application.test_meter_answer import OFFER, held
from tests.laws.usage_told import NUSD, Case, cases

PRICES = PriceSet("v1", (PriceTier(0, {unit: nusd * 10**6 for unit, nusd in NUSD.items()}),))  # type: ignore[misc]
PROMPT_BYTES, GRANTED = 20_000, 20_000
"""More than any truth: only what is doubtful is cut."""

ENOUGH = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def large() -> Held:
    found = held()
    found.request = msgspec.structs.replace(found.request, prompt_bytes=PROMPT_BYTES)
    found.prices, found.granted_tokens = PRICES, GRANTED
    found.offer = msgspec.structs.replace(OFFER, prices=PRICES, cost_prices=PRICES, context_length=10**6)
    found.reserved_nusd = quote(PRICES, max_input_tokens=PROMPT_BYTES, output_tokens=GRANTED).full_nusd
    return found


def streamed(case: Case) -> Metered:
    """Each object in a chunk of its own, after a chunk of text."""
    reader = read_stream(a_call(), endpoint(case))
    text = {"choices": [{"index": 0, "delta": {"content": "some text"}, "finish_reason": "stop"}]}
    events = [text, *({"choices": [], "usage": told} for told in case.objects)]
    received = b"".join(b"data: " + msgspec.json.encode(event) + b"\n\n" for event in events) + b"data: [DONE]\n\n"
    chunks = [*reader.feed(received), *reader.end()]
    last = next((chunk for chunk in reversed(chunks) if chunk.raw_usage is not None), chunks[0])
    assert last.usage == last_usage(chunks)
    output_bytes = sum(chunk.output_bytes for chunk in chunks)
    return meter_answer(large(), last.usage, output_bytes, is_doubtful=last.is_doubtful)


def whole(case: Case, told: Any) -> Metered:
    body = {"choices": [{"index": 0, "message": {"content": "some text"}, "finish_reason": "stop"}], "usage": told}
    answer = read_answer(msgspec.json.encode(body), a_call(), endpoint(case))
    return meter_answer(large(), answer.usage, answer.output_bytes, is_doubtful=answer.is_doubtful)


def endpoint(case: Case) -> Any:
    return msgspec.structs.replace(an_endpoint(), usage=msgspec.convert(case.row, UsageRow))


def then_it_is_the_truths_or_flagged(case: Case, metered: Metered) -> None:
    is_exact = metered.charge.total_nusd == case.truth.charge_nusd
    event(f"{case.decides} decides{', a side missing' * bool(case.missing)}: {'exact' if is_exact else 'flagged'}")
    assert metered.charge.total_nusd > 0
    if metered.estimated:
        assert metered.charge.total_nusd <= large().reserved_nusd
    else:
        assert is_exact
        assert not metered.quarantined
    if case.missing or case.decides == "contradiction":
        assert metered.estimated


@ENOUGH
@given(cases())
def test_p6_a_streams_charge_is_the_truths_or_flagged_and_within_the_reservation(case: Case) -> None:
    then_it_is_the_truths_or_flagged(case, streamed(case))


@ENOUGH
@given(cases())
def test_p6_a_whole_answers_charge_is_the_truths_or_flagged_and_within_the_reservation(case: Case) -> None:
    told = next(one for one in case.objects if one and any(name.endswith("_details") for name in one))
    then_it_is_the_truths_or_flagged(case, whole(case, told))


@ENOUGH
@given(cases().filter(lambda case: not case.missing and case.decides in ("row", "nothing")))
def test_p6_where_row_or_nothing_decides_it_is_exact(case: Case) -> None:
    """Never flagged to be on the safe side."""
    metered = streamed(case)
    assert (metered.charge.total_nusd, metered.estimated) == (case.truth.charge_nusd, False)


@ENOUGH
@given(cases().filter(lambda case: not case.missing and case.decides == "total"))
def test_p6_where_a_total_decides_it_is_flagged_only_if_it_can_be_read_in_two_ways(case: Case) -> None:
    metered = streamed(case)
    parts = sorted(part for part in (case.truth.reasoning, case.truth.cached, case.truth.written) if part)
    are_told_apart = len({sum(chosen) for chosen in _subsets(parts)}) == 2 ** len(parts)
    if are_told_apart:
        assert (metered.charge.total_nusd, metered.estimated) == (case.truth.charge_nusd, False)


def _subsets(parts: list[int]) -> list[list[int]]:
    return [[]] if not parts else [rest + add for rest in _subsets(parts[1:]) for add in ([], [parts[0]])]


@given(
    st.sampled_from([None, {}, {"prompt_tokens": 0, "completion_tokens": 0}, {"prompt_tokens": "x"}, [], "x", {"a": 1}])
)
def test_p6_an_answer_that_was_produced_never_costs_nothing(told: Any) -> None:
    case = Case(truth=None, decides="nothing", row={}, missing="")  # type: ignore[arg-type]
    metered = whole(case, told)
    assert metered.charge.total_nusd > 0
    assert metered.estimated
