"""The `usage` object of an answer: the provider's own counts, our cost beside them (P6)."""

import msgspec

from application.generate.settle_charge import Receipt
from domain.credit.events import Settled
from domain.money import format_usd
from domain.pricing.rate import format_fusd
from domain.pricing.usage import OUTPUT_UNITS, input_tokens, output_tokens

OURS = frozenset({"cost", "cost_details", "is_byok"})
"""Members that some providers send too; ours replace them, since they show what we charge."""


def write_usage(receipt: Receipt, raw_usage: bytes | None) -> bytes:
    """JSON of `usage` for body and SSE: numbers with all their digits, never an exponent.

    raw_usage: the provider's object, shown as it is, with chat's names added if it has others; not shown if our own
               estimate was charged.
    """
    settled = receipt.settled
    is_estimated = settled.generation.estimated
    counts = {} if is_estimated else _provider_counts(raw_usage)
    if not counts.keys() >= _CHAT_COUNTS:
        counts = _own_counts(settled) | counts
    return _encode(counts)[:-1] + _costs(settled) + (b',"estimated":true}' if is_estimated else b"}")


_CHAT_COUNTS = frozenset({"prompt_tokens", "completion_tokens", "total_tokens"})

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, object]).decode


def _provider_counts(raw_usage: bytes | None) -> dict[str, object]:
    """The provider's members without OURS; none if the JSON was cut short."""
    try:
        decoded = _decode(raw_usage or b"")
    except msgspec.DecodeError:
        return {}
    return decoded if OURS.isdisjoint(decoded) else {name: decoded[name] for name in decoded if name not in OURS}


def _own_counts(settled: Settled) -> dict[str, object]:
    usage = settled.generation.usage
    prompt, completion = input_tokens(usage), output_tokens(usage)
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def _costs(settled: Settled) -> bytes:
    """Members behind the counts. Exact lines; only their sum is rounded, once. OpenRouter calls the two sides prompt
    and completion."""
    paid_nusd = settled.paid_nusd
    prompt_fusd = completion_fusd = 0
    lines: list[str] = []
    for line in settled.charge.lines:
        cost_fusd = line.cost_fusd
        if line.unit in OUTPUT_UNITS:
            completion_fusd += cost_fusd
        else:
            prompt_fusd += cost_fusd
        lines.append(f'{{"unit":"{line.unit}","quantity":{line.quantity},"cost":{format_fusd(cost_fusd)}}}')
    return (
        f',"cost":{format_usd(paid_nusd)},"cost_details":{{'
        f'"upstream_inference_prompt_cost":{format_fusd(prompt_fusd)},'
        f'"upstream_inference_completions_cost":{format_fusd(completion_fusd)},'
        f'"shortfall":{format_usd(settled.charge.total_nusd - paid_nusd)},'
        f'"lines":[{",".join(lines)}]}}'
    ).encode()
