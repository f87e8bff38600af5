"""From a client's JSON to what billing must know of it. Everything else is passed on untouched."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from domain.errors import DomainError

MAX_TOKENS_LIMIT = 2**31 - 1
MAX_CHOICES = 128
"""As OpenAI's API has it (n between 1 and 128, checked 2026-11-22)."""

IMAGE_TOKENS = 50_000
"""Upper bound of what one image can cost in prompt tokens: gpt-4o-mini bills up to 48,169 for the largest
(2,833 + 8 tiles x 5,667; OpenAI vision guide, checked 2026-11-22)."""

TOKEN_FIELDS = ("max_completion_tokens", "max_tokens")


class ChatRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A chat completion that was asked for.

    body:              the decoded JSON, as it came.
    prompt_bytes:      UTF-8 bytes of the body without inlined images; no tokenizer makes more tokens than bytes.
    requested_tokens:  output tokens per choice that the client asked for, None if it left that to the model.
    idempotency:       the client's Idempotency-Key and the hash of method, path and raw body; None without a key.
    """

    body: Mapping[str, Any]
    model: str
    prompt_bytes: int
    images: int
    requested_tokens: int | None
    choices: int
    streamed: bool
    app: str = ""
    idempotency: tuple[str, bytes] | None = None

    @property
    def max_input_tokens(self) -> int:
        return self.prompt_bytes + self.images * IMAGE_TOKENS


def read_chat_request(
    body: Any, size: int, *, app: str = "", idempotency: tuple[str, bytes] | None = None
) -> ChatRequest:
    """Check the fields that billing depends on; `size` is the raw body's length in bytes.

    Raises: DomainError invalid_request naming the field in `param`.
    """
    if not isinstance(body, dict):
        raise _invalid(None, "the body must be a JSON object")
    images, inlined = _images(_messages(body))
    return ChatRequest(
        body=body,
        model=_model(body),
        prompt_bytes=size - inlined,
        images=images,
        requested_tokens=_requested_tokens(body),
        choices=_whole_number(body, "n", 1, MAX_CHOICES) or 1,
        streamed=_flag(body, "stream"),
        app=app,
        idempotency=idempotency,
    )


def _model(body: Mapping[str, Any]) -> str:
    model = body.get("model")
    if not isinstance(model, str) or not model or len(model) > 200:
        raise _invalid("model", "model must be the id of a model; GET /v1/models lists them")
    return model


def _messages(body: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise _invalid("messages", "messages must be a list of at least one message")
    for i, message in enumerate(messages):
        if not isinstance(message, dict) or not isinstance(message.get("role"), str):
            raise _invalid(f"messages[{i}]", "each message must be an object with a role")
        content = message.get("content")
        if content is not None and not isinstance(content, str | list):
            raise _invalid(f"messages[{i}].content", "content must be a string or a list of parts")
    return messages


def _images(messages: Sequence[Mapping[str, Any]]) -> tuple[int, int]:
    """How many images, and how many bytes of the body are their inlined data."""
    count = inlined = 0
    for message in messages:
        content = message.get("content")
        for part in content if isinstance(content, list) else ():
            if isinstance(part, dict) and part.get("type") in ("image_url", "input_image"):
                count += 1
                inlined += _inlined_bytes(part.get("image_url"))
    return count, inlined


def _inlined_bytes(image: Any) -> int:
    url = image.get("url") if isinstance(image, dict) else image
    return len(url) if isinstance(url, str) and url.startswith("data:") and url.isascii() else 0


def _requested_tokens(body: Mapping[str, Any]) -> int | None:
    for field in TOKEN_FIELDS:
        found = _whole_number(body, field, 1, MAX_TOKENS_LIMIT)
        if found is not None:
            return found
    return None


def _whole_number(body: Mapping[str, Any], field: str, least: int, most: int) -> int | None:
    value = body.get(field)
    if value is None:
        return None
    if type(value) is not int or not least <= value <= most:
        raise _invalid(field, f"{field} must be a whole number from {least} to {most}")
    return value


def _flag(body: Mapping[str, Any], field: str) -> bool:
    value = body.get(field)
    if value is not None and not isinstance(value, bool):
        raise _invalid(field, f"{field} must be true or false")
    return bool(value)


def _invalid(param: str | None, message: str) -> DomainError:
    return DomainError("invalid_request", param=param, message=message)
