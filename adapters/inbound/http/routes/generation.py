"""One request as the ledger has it, in OpenRouter's shape."""

from datetime import datetime
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Response

from adapters.inbound.http.callers import AnyCaller, Using
from adapters.inbound.http.routes.fresh_reads import After, catch_up
from adapters.inbound.http.shapes.json_shape import Usd, answer, answers, usd
from adapters.inbound.http.shapes.openrouter_members import NoExtras
from application.reads.generations import GenerationRecord, GenerationStatus
from domain.errors import DomainError
from domain.log import format_position
from domain.pricing.usage import input_tokens, output_tokens


class ProviderResponse(msgspec.Struct, frozen=True):
    """One call of a provider: those that failed first, then the one that answered, if any did.

    status:   of HTTP; null if none was received.  latency: milliseconds.  error_class: ours, empty for the answer.
    """

    provider_name: str
    status: int | None
    latency: int
    error_class: str = ""


class GenerationShown(NoExtras, frozen=True, kw_only=True):
    """OpenRouter's members. Costs are USD, times milliseconds; `latency` is the time to the first token.

    `status`, `requested_model`, `title`, `estimated`, `shortfall`, `price_version` and `position` are ours; `title` is
    what the application called itself.
    """

    id: str
    upstream_id: str | None
    status: GenerationStatus
    model: str
    requested_model: str
    provider_name: str
    created_at: datetime
    total_cost: Usd
    usage: Usd
    shortfall: Usd
    streamed: bool
    cancelled: bool
    estimated: bool
    finish_reason: str | None
    native_finish_reason: str | None
    latency: int
    generation_time: int
    tokens_prompt: int
    tokens_completion: int
    native_tokens_prompt: int
    native_tokens_completion: int
    native_tokens_reasoning: int
    native_tokens_cached: int
    num_media_prompt: int
    provider_responses: list[ProviderResponse]
    origin: str
    http_referer: str | None
    title: str | None
    workspace_id: str
    price_version: str
    position: str


class GenerationAnswer(msgspec.Struct, frozen=True):
    data: GenerationShown


SHAPES = (GenerationShown, GenerationAnswer)

MAX_ID = 100

router = APIRouter(tags=["inference"])


@router.get("/v1/generation", responses=answers(GenerationAnswer, "A request of the key's account."))
async def get_generation(
    id: Annotated[str, Query(max_length=MAX_ID)],
    caller: AnyCaller,
    gateway: Using,
    after: After = None,
) -> Response:
    await catch_up(gateway.reads.positions, caller.account_id, after)
    record = await gateway.reads.generations.find(caller.account_id, id) if id.isascii() and id.isprintable() else None
    if record is None:
        raise DomainError("generation_not_found", id=id)
    title = await gateway.personal_data.open(record.account_id, record.title) if record.title else b""
    return answer(GenerationAnswer(_generation(id, record, title.decode())))


def _generation(generation_id: str, record: GenerationRecord, title: str) -> GenerationShown:
    usage = record.usage
    return GenerationShown(
        id=generation_id,
        upstream_id=record.provider_generation_id or None,
        status=record.status,
        model=record.model,
        requested_model=record.requested_model,
        provider_name=record.provider,
        created_at=record.reserved_at,
        total_cost=usd(record.paid_nusd),
        usage=usd(record.paid_nusd),
        shortfall=usd(record.shortfall_nusd),
        streamed=record.streamed,
        cancelled=record.cancelled,
        estimated=record.estimated,
        finish_reason=record.finish_reason or None,
        native_finish_reason=record.finish_reason or None,
        latency=record.ttft_ms,
        generation_time=max(0, record.total_ms - record.ttft_ms),
        tokens_prompt=input_tokens(usage),
        tokens_completion=output_tokens(usage),
        native_tokens_prompt=input_tokens(usage),
        native_tokens_completion=output_tokens(usage),
        native_tokens_reasoning=usage.get("reasoning", 0),
        native_tokens_cached=usage.get("cached_input", 0),
        num_media_prompt=usage.get("image", 0),
        provider_responses=_responses(record),
        origin=record.app,
        http_referer=record.app or None,
        title=title or None,
        workspace_id=record.account_id,
        price_version=record.price_version,
        position=format_position(record.position),
    )


def _responses(record: GenerationRecord) -> list[ProviderResponse]:
    failed = [
        ProviderResponse(attempt.provider, attempt.status or None, attempt.duration_ms, attempt.error_class)
        for attempt in record.attempts
    ]
    answered = [ProviderResponse(record.provider, 200, record.total_ms)] if record.status == "settled" else []
    return failed + answered
