"""P6: `usage` as clients read it, byte for byte: the provider's counts, our cost with all its digits."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.inbound.http.inference.write_usage import write_usage
from application.generate.settle_charge import Receipt
from domain.credit.events import Generation, Settled
from domain.credit.lot import Part
from domain.pricing.rate import Charge, ChargeLine
from domain.pricing.usage import OUTPUT_UNITS, Unit

NOW = datetime(2026, 11, 28, tzinfo=UTC)

COUNTS = st.integers(0, 10**9)
MEMBERS = st.dictionaries(
    st.sampled_from(["prompt_tokens", "completion_tokens", "total_tokens", "cost", "is_byok", "input_tokens", "é"]),
    st.one_of(COUNTS, st.none(), st.booleans(), st.text(max_size=5), st.just({"cached_tokens": 3})),
)
UNITS: tuple[Unit, ...] = ("input", "cached_input", "output", "reasoning", "request")


def settled(usage: dict[Unit, int], prices: dict[Unit, int], paid: int, total: int, *, estimated: bool) -> Settled:
    lines = tuple(ChargeLine(unit, count, prices.get(unit, 0)) for unit, count in usage.items())
    return Settled(
        at=NOW,
        reservation_id="r",
        key_id="k",
        reserved_at=NOW,
        reserved_nusd=1,
        burnt=(Part("one", paid // 2), Part("other", paid - paid // 2)),
        charge=Charge(total_nusd=total, price_version="v1", lines=lines),  # type: ignore[arg-type]
        generation=Generation(provider="p", model="a/m", usage=usage, provider_cost_nusd=0, estimated=estimated),
        requested_model="a/m",
    )


def number(amount: int, digits: int) -> str:
    """Without the code under test: a decimal without trailing zeros."""
    text = f"{Decimal(amount).scaleb(-digits):f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"


def expected(event: Settled, raw: bytes | None) -> bytes:
    generation, lines = event.generation, event.charge.lines
    theirs: dict[str, Any] = json.loads(raw) if raw and not generation.estimated else {}
    counts = {name: value for name, value in theirs.items() if name not in ("cost", "cost_details", "is_byok")}
    usage = generation.usage
    prompt = sum(count for unit, count in usage.items() if unit in ("input", "cached_input"))
    completion = sum(count for unit, count in usage.items() if unit in ("output", "reasoning"))
    if not {"prompt_tokens", "completion_tokens", "total_tokens"} <= counts.keys():
        ours = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
        counts = {**ours, **counts}
    of_side = {True: 0, False: 0}
    for line in lines:
        of_side[line.unit in OUTPUT_UNITS] += line.quantity * line.nusd_per_munit
    listed = ",".join(
        f'{{"unit":"{one.unit}","quantity":{one.quantity},"cost":{number(one.quantity * one.nusd_per_munit, 15)}}}'
        for one in lines
    )
    paid = sum(part.amount_nusd for part in event.burnt)
    details = (
        f'"upstream_inference_prompt_cost":{number(of_side[False], 15)},'
        f'"upstream_inference_completions_cost":{number(of_side[True], 15)},'
        f'"shortfall":{number(event.charge.total_nusd - paid, 9)},"lines":[{listed}]'
    )
    inside = json.dumps(counts, ensure_ascii=False, separators=(",", ":"))[1:-1]
    flag = ',"estimated":true' if generation.estimated else ""
    return f'{{{inside},"cost":{number(paid, 9)},"cost_details":{{{details}}}{flag}}}'.encode()


@settings(max_examples=300, deadline=None)
@given(
    st.dictionaries(st.sampled_from(UNITS), COUNTS, max_size=5),
    st.dictionaries(st.sampled_from(UNITS), st.integers(0, 10**12), max_size=5),
    st.integers(0, 10**15),
    st.integers(0, 10**15),
    st.booleans(),
    st.none() | MEMBERS,
)
def test_p6_usage_is_the_providers_counts_and_the_exact_cost(
    usage: dict[Unit, int],
    prices: dict[Unit, int],
    paid: int,
    total: int,
    estimated: bool,
    members: dict[str, Any] | None,
) -> None:
    event = settled(usage, prices, paid, total, estimated=estimated)
    raw = None if members is None else json.dumps(members, indent=1).encode()
    found = write_usage(Receipt(event, 1), raw)
    assert found == expected(event, raw)
    assert json.loads(found, parse_float=Decimal)["cost"] == Decimal(paid).scaleb(-9)


@pytest.mark.parametrize("raw", [None, b"", b"[1]", b'{"prompt_tokens":1', b"null"])
def test_our_counts_stand_in_for_what_cannot_be_shown(raw: bytes | None) -> None:
    event = settled({"input": 3, "reasoning": 2}, {"input": 1}, 0, 1, estimated=False)
    shown = msgspec.json.decode(write_usage(Receipt(event, 1), raw))
    assert (shown["prompt_tokens"], shown["completion_tokens"], shown["total_tokens"]) == (3, 2, 5)
