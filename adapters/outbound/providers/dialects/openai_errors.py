"""Read a provider's error in any of its many forms."""

import re
from collections.abc import Mapping, Sequence

import msgspec

from adapters.outbound.providers.dialects.members import value_of
from adapters.outbound.providers.failures import ProviderError

BYTE_ORDER_MARK = b"\xef\xbb\xbf"

MAX_PLAIN_CHARACTERS = 500
"""Of a body that is not JSON: a sentence, not a page."""

STATUS_OF: Mapping[str, int] = {
    "invalid_request_error": 400,
    "invalid_request": 400,
    "context_length_exceeded": 400,
    "context_window_exceeded": 400,
    "prompt_too_long": 400,
    "string_above_max_length": 400,
    "invalid_prompt": 400,
    "content_filter": 400,
    "content_policy_violation": 400,
    "authentication_error": 401,
    "invalid_api_key": 401,
    "insufficient_quota": 402,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "model_not_found": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "server_error": 500,
    "api_error": 500,
    "overloaded_error": 503,
    "timeout_error": 504,
}
"""`code` or `type` -> status, for errors under status 200: OpenAI's and Anthropic's names."""

MAX_DEPTH = 4
"""Of errors inside errors: a relay of a relay has three."""

MAX_LISTED = 8
"""Of a list of errors: as many as a person corrects in one go."""

MESSAGES = ("message", "msg", "detail", "error", "error_message", "title")
INSIDE = ("error", "errors", "detail")
"""Members that may hold the error itself: an object, a list of them, or a text."""


def read_error(body: bytes) -> ProviderError:
    """The error in an error body; empty if the body is a web page or cannot be read."""
    body = body.removeprefix(BYTE_ORDER_MARK)
    try:
        error = value_of(body)
    except (ValueError, RecursionError):
        return ProviderError(message=_plain_text(body))
    return provider_error(error)


def provider_error(error: object, depth: int = 0) -> ProviderError:
    """The error in a text, an object, a list, or an object around one of these."""
    if isinstance(error, str):
        return ProviderError(message=error)
    if isinstance(error, list):
        return _of_list(error, depth)
    if not isinstance(error, dict) or depth > MAX_DEPTH:
        return ProviderError()
    inner = next((error[name] for name in INSIDE if isinstance(error.get(name), dict | list) and error[name]), None)
    outer = _of_object(error)
    if inner is None:
        return outer
    inside = provider_error(inner, depth + 1)
    return ProviderError(
        message=inside.message or outer.message,
        param=inside.param or outer.param,
        status=inside.status or outer.status,
        code=inside.code or outer.code,
    )


def _of_list(errors: Sequence[object], depth: int) -> ProviderError:
    """The messages of at most the first MAX_LISTED errors, each with its field; for all else the first value found."""
    found = [provider_error(error, depth + 1) for error in errors[:MAX_LISTED] if not isinstance(error, list)]
    speaking = [one for one in found if one.message]
    if len(speaking) <= 1:
        return (speaking or found or [ProviderError()])[0]
    messages = [f"{one.param}: {one.message}" if one.param else one.message for one in speaking]
    if len(errors) > MAX_LISTED:
        messages.append(f"and {len(errors) - MAX_LISTED} more")
    return ProviderError(
        message="; ".join(messages),
        param=next((one.param for one in speaking if one.param), None),
        status=next((one.status for one in speaking if one.status), 0),
        code=next((one.code for one in speaking if one.code), ""),
    )


def _of_object(error: Mapping[str, object]) -> ProviderError:
    message = next((text for name in MESSAGES if isinstance(text := error.get(name), str) and text), "")
    code = next((str(error[name]) for name in ("code", "type", "status") if _is_name(error.get(name))), "")
    reason = _reason_behind(error)
    return ProviderError(
        message=reason.message or message,
        param=reason.param or _param_of(error),
        status=_status_of(error),
        code=reason.code or code,
    )


def _is_name(value: object) -> bool:
    return (isinstance(value, str) and value not in ("", "error")) or type(value) is int


def _param_of(error: Mapping[str, object]) -> str | None:
    """`param`, or FastAPI's `loc`: ["body", "messages", 0, "content"] is messages[0].content."""
    param, loc = error.get("param"), error.get("loc")
    if isinstance(param, str):
        return param
    return _path(loc) if isinstance(loc, list) else None


def _path(loc: Sequence[object]) -> str | None:
    path = ""
    for step in loc[1:] if loc[:1] == ["body"] else loc:
        path += f"[{step}]" if type(step) is int else f".{step}" if path else str(step)
    return path or None


def _status_of(error: Mapping[str, object]) -> int:
    """The status as a number, as digits in a text, or as a name in STATUS_OF; 0 if there is none."""
    for name in ("code", "status", "status_code", "type"):
        value = error.get(name)
        number = (
            int(value) if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) == 3 else value
        )
        if type(number) is int and 400 <= number <= 599:
            return number
        if isinstance(value, str) and value in STATUS_OF:
            return STATUS_OF[value]
    return 0


_STARTED = re.compile(rb'"(?:message|msg|detail)"\s*:\s*"((?:[^"\\]|\\.)*)')
"""The message, or its beginning, in a body that was cut."""


def _unescaped(inside: bytes) -> str:
    """Decode the inside of a JSON string that may end within an escape or a character."""
    for cut in range(min(12, len(inside)) + 1):
        try:
            return msgspec.json.decode(b'"' + inside[: len(inside) - cut] + b'"', type=str)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
    return ""


def _reason_behind(error: Mapping[str, object]) -> ProviderError:
    """The upstream's error in a relay's error: `metadata.raw` (OpenRouter)."""
    metadata = error.get("metadata")
    raw = metadata.get("raw") if isinstance(metadata, dict) else None
    if isinstance(raw, str) and raw:
        return read_error(raw.encode("utf-8", "replace"))
    return provider_error(raw) if isinstance(raw, dict) else ProviderError()


def _plain_text(body: bytes) -> str:
    """A sentence that is not JSON, or the start of a message in cut JSON; empty for a web page."""
    started = _STARTED.search(body) if body.lstrip()[:1] in (b"{", b"[") else None
    if started is not None:
        return _unescaped(started[1])
    text = body.decode("utf-8", "replace").strip()
    return "" if text.startswith(("<", "{", "[")) or not text.isprintable() else text[:MAX_PLAIN_CHARACTERS]
