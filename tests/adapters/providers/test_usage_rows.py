"""Usage rows against genai-prices' extractors, which others wrote: both read an object the same way."""

from typing import Any

import msgspec
import pytest
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import UsageExtractor

from adapters.outbound.providers.dialects.openai_usage import UsageReader
from adapters.outbound.providers.offers.read_rows import REGISTRY_FILE, read_rows
from adapters.outbound.providers.offers.rows import UsageRow
from domain.pricing.usage import input_tokens, output_tokens

EXTRACTORS = {
    provider.id: extractor
    for provider in get_snapshot().providers
    for extractor in sorted(provider.extractors or (), key=lambda each: each.api_flavor != "default")
    if extractor.api_flavor in ("default", "chat") and any(each.path == "prompt_tokens" for each in extractor.mappings)
}

SHIPPED = {row.genai_prices: row.usage for row in read_rows(REGISTRY_FILE).values() if row.genai_prices in EXTRACTORS}

PRIVATE = {
    **{name: UsageRow() for name in ("cerebras", "deepseek", "fireworks", "minimax", "mistral", "modal", "moonshotai")},
    "perplexity": UsageRow(reasoning_is="beside"),
    "x-ai": UsageRow(reasoning_is="beside"),
}
"""As docs/how-to/add-a-provider.md tells operators to write them."""

TOLD = {
    "input_tokens": 1_000,
    "output_tokens": 300,
    "cache_read_tokens": 200,
    "cache_write_tokens": 60,
    "output_reasoning_tokens": 70,
}
"""What is put at the paths of these; a path that several share has the last one's."""


@pytest.mark.parametrize(("name", "row"), [*SHIPPED.items(), *PRIVATE.items()], ids=[*SHIPPED, *PRIVATE])
def test_a_row_reads_what_an_extractor_of_others_reads(name: str, row: UsageRow) -> None:
    extractor = EXTRACTORS[name]
    usage = usage_for(extractor)
    _, theirs = extractor.extract({"model": "m", "usage": usage})
    told = UsageReader(row).read(msgspec.json.encode(usage))
    assert told is not None
    ours = told.usage
    assert ours is not None
    assert input_tokens(ours) == theirs.input_tokens
    assert output_tokens(ours) == theirs.output_tokens
    assert ours.get("cached_input", 0) == (theirs.cache_read_tokens or 0)
    assert ours.get("cache_write_5m", 0) == (theirs.cache_write_tokens or 0)
    assert ours.get("reasoning", 0) == (getattr(theirs, "output_reasoning_tokens", None) or 0)


def test_the_shipped_rows_are_among_them() -> None:
    assert SHIPPED.keys() >= {"openai", "openrouter", "groq"}


def usage_for(extractor: UsageExtractor) -> dict[str, Any]:
    """An object with all that the extractor reads and we have a unit for (perplexity's citation tokens have none)."""
    usage: dict[str, Any] = {}
    without_unit = [mapping.path for mapping in extractor.mappings if mapping.dest not in TOLD]
    for mapping in extractor.mappings:
        *outer, last = [mapping.path] if isinstance(mapping.path, str) else [str(name) for name in mapping.path]
        place = usage
        for each in outer:
            place = place.setdefault(each, {})
        if mapping.path not in without_unit:
            place[last] = TOLD[mapping.dest]
    return usage
