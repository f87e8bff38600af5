"""Words for tests that call providers: everything is filled in but what the test is about."""

from typing import Any

import msgspec

from adapters.outbound.providers.endpoint import Endpoint
from adapters.outbound.providers.offers.rows import Quirk
from application.generate.request.members import members_of
from application.ports.chat_providers import ChatCall
from application.ports.provider_answer import Chunk
from domain.catalog.offer import Offer

GENERATION_ID = "gen-019aa000-0000-7000-8000-000000000001"
MODEL = "acme/model"
HELLO: dict[str, Any] = {"model": MODEL, "messages": [{"role": "user", "content": "Hello there"}]}


def an_offer(provider: str = "acme", model: str = MODEL, native_id: str = "native-model") -> Offer:
    return Offer(
        model=model,
        provider=provider,
        native_id=native_id,
        prices=None,
        cost_prices=None,
        context_length=128_000,
        max_output_tokens=4_096,
    )


def an_endpoint(
    *quirks: Quirk, drops: tuple[str, ...] = (), extras: tuple[str, ...] = (), base_url: str = "http://127.0.0.1:9/v1"
) -> Endpoint:
    return Endpoint(
        provider="acme",
        base_url=base_url,
        api_key="sk-acme-secret",
        dialect="openai",
        quirks=frozenset(quirks),
        drops=frozenset(drops),
        extras=frozenset(extras),
    )


def a_call(
    body: dict[str, Any] | None = None, *, offer: Offer | None = None, max_tokens: int = 100, timeout_s: float = 10.0
) -> ChatCall:
    return ChatCall(
        offer=offer or an_offer(),
        members=members_of(msgspec.json.encode(HELLO if body is None else body)),
        generation_id=GENERATION_ID,
        max_tokens=max_tokens,
        timeout_s=timeout_s,
    )


def last_usage(chunks: list[Chunk]) -> Any:
    """Counts are cumulative: the last that came is the truth."""
    return next((chunk.usage for chunk in reversed(chunks) if chunk.raw_usage is not None), None)
