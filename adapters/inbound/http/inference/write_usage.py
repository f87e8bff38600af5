"""The `usage` object of an answer: the provider's own counts, our cost beside them (P6)."""

import msgspec

from application.generate.settle_charge import Receipt
from domain.credit.events import Settled
from domain.money import format_usd
from domain.pricing.rate import ChargeLine, format_fusd
from domain.pricing.usage import OUTPUT_UNITS, input_tokens, output_tokens

OURS = frozenset({"cost", "cost_details", "is_byok"})
"""Members that some providers send too; ours replace them, since they show what we charge."""


def write_usage(receipt: Receipt, raw_usage: bytes | None) -> bytes:
    """JSON of `usage` for body and SSE: numbers with all their digits, never an exponent.

    raw_usage: the provider's object, shown as it is, with chat's names added if it has others; not shown if our own
               estimate was charged.
    """
    settled = receipt.settled
    counts = {} if settled.generation.estimated else _provider_counts(raw_usage)
    if not counts.keys() >= _CHAT_COUNTS:
        counts = _own_counts(settled) | counts
    members = [msgspec.json.encode(counts)[1:-1]]
    members += [b'"cost":' + format_usd(settled.paid_nusd).encode(), b'"cost_details":' + _details(settled)]
    if settled.generation.estimated:
        members.append(b'"estimated":true')
    return b"{" + b",".join(members) + b"}"


_CHAT_COUNTS = frozenset({"prompt_tokens", "completion_tokens", "total_tokens"})


def _provider_counts(raw_usage: bytes | None) -> dict[str, object]:
    """The provider's members without OURS; none if the JSON was cut short."""
    try:
        decoded: dict[str, object] = msgspec.json.decode(raw_usage or b"", type=dict)
    except msgspec.DecodeError:
        return {}
    return {name: value for name, value in decoded.items() if name not in OURS}


def _own_counts(settled: Settled) -> dict[str, object]:
    usage = settled.generation.usage
    prompt, completion = input_tokens(usage), output_tokens(usage)
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def _details(settled: Settled) -> bytes:
    """Exact lines; only their sum is rounded, once. OpenRouter calls the two sides prompt and completion."""
    lines = settled.charge.lines
    sides: list[tuple[str, str]] = [
        ("upstream_inference_prompt_cost", format_fusd(_sum(lines, outputs=False))),
        ("upstream_inference_completions_cost", format_fusd(_sum(lines, outputs=True))),
        ("shortfall", format_usd(settled.shortfall_nusd)),
    ]
    listed = ",".join(
        f'{{"unit":"{line.unit}","quantity":{line.quantity},"cost":{format_fusd(line.cost_fusd)}}}' for line in lines
    )
    return ("{" + ",".join(f'"{name}":{number}' for name, number in sides) + f',"lines":[{listed}]}}').encode()


def _sum(lines: tuple[ChargeLine, ...], *, outputs: bool) -> int:
    return sum(line.cost_fusd for line in lines if (line.unit in OUTPUT_UNITS) == outputs)
