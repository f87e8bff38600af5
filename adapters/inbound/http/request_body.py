"""A request's body: read within its bounds, decoded once."""

import asyncio
import re
from typing import Any, TypeVar

import msgspec
from starlette.types import Message, Receive

from adapters.complaint import choices_of, in_plain_words
from adapters.inbound.http.gateway import Limits
from adapters.inbound.http.request_headers import RequestHeaders
from domain.errors import DomainError

T = TypeVar("T")

_ANYTHING = msgspec.json.Decoder()

_AT_FIELD = re.compile(r" - at `(?:key in )?\$\.?(.*)`$")
_NAMED_FIELD = re.compile(r"^Object (?:missing required|contains unknown) field `([^`]+)`")


class ClientLeft(Exception):
    """The client hung up before its request was whole: there is nobody to answer."""


async def read_body(receive: Receive, headers: RequestHeaders, limits: Limits) -> bytes:
    """The whole body. Raises: DomainError body_too_large, body_timeout; ClientLeft."""
    length = headers.found.get(b"content-length")
    if length is not None and length.isdigit() and int(length) > limits.body_bytes:
        raise DomainError("body_too_large", limit_bytes=limits.body_bytes)
    if length == b"0":
        return b""
    try:
        async with asyncio.timeout(limits.body_timeout_s):
            return await _all_parts(receive, limits.body_bytes)
    except TimeoutError:
        raise DomainError("body_timeout", limit_s=limits.body_timeout_s) from None


async def _all_parts(receive: Receive, limit_bytes: int) -> bytes:
    message = await receive()
    if not message.get("more_body") and message["type"] == "http.request":
        return _within(message.get("body", b""), limit_bytes)
    parts: list[bytes] = []
    room = limit_bytes
    while True:
        parts.append(_part(message))
        room -= len(parts[-1])
        if room < 0:
            raise DomainError("body_too_large", limit_bytes=limit_bytes)
        if not message.get("more_body"):
            return b"".join(parts)
        message = await receive()


def _part(message: Message) -> bytes:
    if message["type"] == "http.disconnect":
        raise ClientLeft
    part: bytes = message.get("body", b"")
    return part


def _within(body: bytes, limit_bytes: int) -> bytes:
    if len(body) > limit_bytes:
        raise DomainError("body_too_large", limit_bytes=limit_bytes)
    return body


def decode(body: bytes) -> Any:
    """Any JSON. NaN, infinities and lone surrogates are none. Raises: DomainError invalid_json."""
    try:
        return _ANYTHING.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        raise _not_json(fault) from None


def decode_as(decoder: "msgspec.json.Decoder[T]", body: bytes) -> T:
    """JSON of one shape. Raises: DomainError invalid_json, or invalid_request with the field in `param`."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as wrong:
        param = _field(str(wrong))
        raise DomainError("invalid_request", param=param, message=_sentence(str(wrong), param, decoder.type)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        raise _not_json(fault) from None


def _not_json(fault: Exception) -> DomainError:
    """The decoder's words name a byte, never the text there; a deep nesting has none of its own."""
    if isinstance(fault, RecursionError):
        return DomainError("invalid_json", message="it is nested too deeply")
    if isinstance(fault, UnicodeDecodeError):
        return DomainError("invalid_json", message=f"byte {fault.start} is not UTF-8")
    return DomainError("invalid_json", message=str(fault))


def _sentence(fault: str, param: str | None, shape: Any) -> str:
    """In words that name the field and what it may be."""
    words = _AT_FIELD.sub("", fault)
    is_choice = words.startswith("Invalid enum value")
    kind = next((field.type for field in msgspec.structs.fields(shape) if field.encode_name == param), None)
    told = in_plain_words(words, choices_of(kind) if is_choice else ())
    return f"{param} {told}" if told.startswith("must ") else told


def _field(message: str) -> str | None:
    named = _NAMED_FIELD.match(message)
    at = _AT_FIELD.search(message)
    path = at.group(1) if at else ""
    if named is None:
        return path or None
    return f"{path}.{named.group(1)}" if path else named.group(1)
