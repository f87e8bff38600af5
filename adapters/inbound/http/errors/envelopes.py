"""How a refusal is written: OpenAI's envelope under /v1 and everywhere else, OpenRouter's under /api/v1.

Both official OpenRouter SDKs throw a validation error in place of our message if `error.code` is no integer, or if an
error in a stream is not a whole chunk.
Source: openrouter.ai/docs/api/reference/errors-and-debugging, openrouter 1.3.84 (Python) and @openrouter/sdk 1.3.19
(checked 2026-11-27).
"""

import time
from collections.abc import Mapping
from typing import Literal, Protocol

import msgspec

from adapters.inbound.http.shapes.json_object import JsonObject

ErrorType = Literal[
    "invalid_request_error",
    "authentication_error",
    "permission_error",
    "insufficient_quota",
    "rate_limit_error",
    "server_error",
]


class ErrorDetail(msgspec.Struct, frozen=True):
    """`code` is stable; `param` names the wrong field; `metadata` has the facts behind the message."""

    message: str
    type: ErrorType
    code: str
    param: str | None
    metadata: JsonObject


class ErrorEnvelope(msgspec.Struct, frozen=True):
    """OpenAI's."""

    error: ErrorDetail


class OpenRouterDetail(msgspec.Struct, frozen=True):
    """`code` is the HTTP status; `metadata` has OpenRouter's `error_type`, our `code` and `param`, and the facts."""

    code: int
    message: str
    metadata: JsonObject


class OpenRouterEnvelope(msgspec.Struct, frozen=True):
    """OpenRouter's, under /api/v1."""

    error: OpenRouterDetail


class Envelope(Protocol):
    def whole(self, status: int, detail: ErrorDetail) -> bytes:
        """The body of an answer."""
        ...

    def event(self, status: int, detail: ErrorDetail, usage: bytes | None) -> bytes:
        """The last event of a stream after its headers have left; `usage` is the JSON of what was charged."""
        ...


class _OpenAI:
    def whole(self, status: int, detail: ErrorDetail) -> bytes:
        return _encode(ErrorEnvelope(detail))

    def event(self, status: int, detail: ErrorDetail, usage: bytes | None) -> bytes:
        return _with_usage(self.whole(status, detail), usage)


class _OpenRouter:
    def whole(self, status: int, detail: ErrorDetail) -> bytes:
        return _encode(OpenRouterEnvelope(_openrouter(status, detail)))

    def event(self, status: int, detail: ErrorDetail, usage: bytes | None) -> bytes:
        """A chunk with one choice that has ended in an error: its SDKs want every event to be a chunk."""
        facts = detail.metadata
        chunk = {
            "id": facts.get("generation_id", ""),
            "object": "chat.completion.chunk",
            "created": int(time.time()),
            "model": facts.get("model", ""),
            "provider": facts.get("provider", ""),
            "choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": "error"}],
            "error": _openrouter(status, detail),
        }
        return _with_usage(_encode(chunk), usage)


OPENAI: Envelope = _OpenAI()
OPENROUTER: Envelope = _OpenRouter()

ERROR_TYPES: Mapping[str | int, str] = {
    "context_length_exceeded": "context_length_exceeded",
    400: "invalid_request",
    401: "authentication",
    402: "payment_required",
    403: "permission_denied",
    404: "not_found",
    408: "timeout",
    413: "payload_too_large",
    422: "unprocessable",
    429: "rate_limit_exceeded",
    500: "server",
    502: "provider_unavailable",
    503: "server",
    504: "timeout",
}
"""Our code, else the status -> OpenRouter's `error_type`."""


def _openrouter(status: int, detail: ErrorDetail) -> OpenRouterDetail:
    default = "invalid_request" if status < 500 else "server"
    error_type = ERROR_TYPES.get(detail.code) or ERROR_TYPES.get(status, default)
    ours = {"error_type": error_type, "code": detail.code, "param": detail.param}
    return OpenRouterDetail(status, detail.message, {**detail.metadata, **ours})


def _encode(shape: object) -> bytes:
    return msgspec.json.encode(shape, enc_hook=str)


def _with_usage(object_: bytes, usage: bytes | None) -> bytes:
    return object_ if usage is None else object_[:-1] + b',"usage":' + usage + b"}"
