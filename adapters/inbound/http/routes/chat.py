"""Chat completions as the OpenAPI document has them. chat_route.py serves them: the dispatcher never calls FastAPI."""

from typing import Literal

import msgspec
from fastapi import APIRouter

from adapters.inbound.http.callers import AnyCaller
from adapters.inbound.http.shapes.json_object import JsonObject
from adapters.inbound.http.shapes.json_shape import Usd, accepts, answers


class ChatMessage(msgspec.Struct, frozen=True):
    """OpenAI's; `content` is a text or a list of parts."""

    role: str
    content: str | list[JsonObject] | None = None


class ChatCompletionRequest(msgspec.Struct, frozen=True, kw_only=True):
    """OpenAI's. What is not named here is passed on to the provider untouched."""

    model: str
    messages: list[ChatMessage]
    stream: bool = False
    n: int | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None


class ChatUsage(msgspec.Struct, frozen=True):
    """`cost` is what was taken from the account's credit; `cost_details` how it came about."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    cost: Usd
    cost_details: JsonObject
    estimated: bool = False


class ChatCompletion(msgspec.Struct, frozen=True, kw_only=True):
    """OpenAI's, with our id, the canonical model and the cost. A stream is text/event-stream of OpenAI's chunks."""

    id: str
    object: Literal["chat.completion"]
    created: int
    model: str
    choices: list[JsonObject]
    usage: ChatUsage


SHAPES = (ChatCompletionRequest, ChatCompletion)

router = APIRouter(tags=["inference"])

_ANSWERS = answers(
    ChatCompletion,
    "The answer, or with `stream` its chunks, the last with `usage`, then [DONE].",
    also={"text/event-stream": {"schema": {"type": "string"}}},
)


@router.post("/v1/chat/completions", openapi_extra=accepts(ChatCompletionRequest), responses=_ANSWERS)
async def create_chat_completion(_: AnyCaller) -> None:
    """An OpenAI chat completion, whole or streamed, charged to the account's credit."""
    raise AssertionError("the dispatcher serves this path")
