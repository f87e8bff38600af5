"""The top level of a JSON object as raw bytes: replace members without touching the values of the others.

Nested values are copied byte for byte (msgspec.Raw), so text that only looks like an id or a model is never rewritten
and numbers keep their digits; only the object's own members are written again. 2 us for a chunk of 300 bytes.
"""

import json

import msgspec
from msgspec import Raw

from adapters.outbound.providers.failures import BrokenAnswer, ErrorClass

Members = dict[str, Raw]

_DECODER = msgspec.json.Decoder(Members)
_ENCODER = msgspec.json.Encoder()
_SPACES = bytes.maketrans(b"\r\n", b"  ")
NULL = b"null"


def members_of(document: bytes) -> Members:
    """The members of a JSON object, raw. Raises BrokenAnswer malformed_answer if `document` is not one in UTF-8."""
    try:
        text = str(document, "utf-8")
    except UnicodeDecodeError as error:
        raise BrokenAnswer(ErrorClass.MALFORMED_ANSWER) from error
    try:
        return _DECODER.decode(document)
    except (msgspec.DecodeError, RecursionError):
        return _members_of_lax(text)


def joined(members: Members) -> bytes:
    """The object as JSON on one line; starts with `{` and ends with `}`."""
    document = _ENCODER.encode(members)
    return document.translate(_SPACES) if has_line_end(document) else document


def has_line_end(document: bytes) -> bool:
    """Whether a line end is between its tokens: there it means a space, but it would end an event's line."""
    return b"\n" in document or b"\r" in document


def value_of(raw: Raw | bytes) -> object:
    """The Python value of a member. Raises ValueError or RecursionError if it is not JSON."""
    try:
        return msgspec.json.decode(raw)
    except msgspec.DecodeError:
        return json.loads(bytes(raw))


def written(value: str) -> Raw:
    return Raw(_ENCODER.encode(value))


def _members_of_lax(text: str) -> Members:
    """Read what Python's reader accepts and strict JSON forbids. Some servers send it: NaN, Infinity, half a surrogate
    pair in a chunk. NaN becomes null, except inside `usage`: its NaN must stay visible
    (docs/reference/rules.md#usage-and-estimates)."""
    try:
        poisoned = json.loads(text)
        cured = json.loads(text, parse_constant=lambda _: None)
    except (ValueError, RecursionError) as error:
        raise BrokenAnswer(ErrorClass.MALFORMED_ANSWER) from error
    if not isinstance(cured, dict):
        raise BrokenAnswer(ErrorClass.MALFORMED_ANSWER)
    members = {name: Raw(json.dumps(value).encode()) for name, value in cured.items()}
    if "usage" in members:
        members["usage"] = Raw(json.dumps(poisoned["usage"]).encode())
    return members
