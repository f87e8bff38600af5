"""A request's body: read within its bounds, decoded once."""

import asyncio
import codecs
import re
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import msgspec
from starlette.types import Message, Receive

from adapters.inbound.http.gateway import Limits
from adapters.inbound.http.server.at_once import AtOnce
from adapters.inbound.http.server.body_budget import SMALL_BYTES, Lease
from adapters.inbound.http.server.inflate import encoding_of, pieces_of
from adapters.inbound.http.server.request_headers import RequestHeaders
from adapters.operator_error import choices_of, in_plain_words
from application.generate.request.members import Members, members_of
from domain.errors import DomainError

S = TypeVar("S", bound=msgspec.Struct)
T = TypeVar("T")

_ANYTHING = msgspec.json.Decoder()
_RAW = msgspec.json.Decoder(msgspec.Raw)

_AT_FIELD = re.compile(r" - at `(?:key in )?\$\.?(.*)`$")
_NAMED_FIELD = re.compile(r"^Object (?:missing required|contains unknown) field `([^`]+)`")


class ClientLeft(Exception):
    """The client hung up before its request was whole: no answer can be sent."""


LARGE_BYTES = 256 * 1024
"""A larger body is read in the worker thread, one at a time: 32 MB take up to 0.3 s."""

MAX_BRACKETS = 250_000
"""Of a large body: a prompt of a million tokens has fewer, and each may stand for an object to be made."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_STEP_BYTES = 1024 * 1024

_worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="large-body")

Check = Callable[[], Awaitable[None]]
"""Whether more than SMALL_BYTES may come. Raises: DomainError."""


async def read_body(
    receive: Receive, headers: RequestHeaders, limits: Limits, lease: Lease, check_large: Check | None = None
) -> bytes:
    """The whole body as it was before it was compressed, without a byte order mark.

    lease:        holds the body's bytes, from before they are read until the lease ends.
    check_large:  called before more than SMALL_BYTES are read.
    Raises: DomainError body_too_large, body_timeout, overloaded, unsupported_media_type; ClientLeft.
    """
    encoding = encoding_of(headers.found.get(b"content-encoding", b""))
    length = headers.found.get(b"content-length")
    if length == b"0":
        return b""
    intake = _Intake(limits.body_bytes, lease, check_large)
    if length is not None and length.isdigit() and not intake.takes_small(int(length)):
        await intake.expect(int(length))
    first = receive()
    if isinstance(first, AtOnce) and not first.message.get("more_body"):
        body = _part(first.message)
        if len(body) > intake.taken:
            await intake.expect(len(body))
    else:
        body = await _in_time(first, receive, intake, limits.body_timeout_s)
    if encoding:
        body = await _inflated(body, encoding, _Intake(limits.body_bytes, lease, check_large))
        lease.give_back(intake.taken)
    return body.removeprefix(_BYTE_ORDER_MARK)


class _Intake:
    """The bytes that may still come in, and those that are taken from the budget."""

    def __init__(self, limit_bytes: int, lease: Lease, check_large: Check | None) -> None:
        self._limit_bytes = limit_bytes
        self._lease = lease
        self._check_large = check_large
        self.taken = 0

    def takes_small(self, size: int) -> bool:
        """Whether `size` bytes in all are a small body, within the limit, with room at once: nearly always so."""
        is_taken = size <= min(SMALL_BYTES, self._limit_bytes) and self._lease.takes_small(size - self.taken)
        self.taken = size if is_taken else self.taken
        return is_taken

    async def expect(self, size: int) -> None:
        """Allow for `size` bytes in all."""
        if size > self._limit_bytes:
            raise DomainError("body_too_large", limit_bytes=self._limit_bytes)
        if size > SMALL_BYTES and self._check_large is not None:
            await self._check_large()
            self._check_large = None
        if size > self.taken and not self.takes_small(size):
            await self._lease.take(size - self.taken)
            self.taken = size


async def _in_time(first: Awaitable[Message], receive: Receive, intake: _Intake, limit_s: float) -> bytes:
    try:
        async with asyncio.timeout(limit_s):
            return await _all_parts(first, receive, intake)
    except TimeoutError:
        raise DomainError("body_timeout", limit_s=limit_s) from None


async def _all_parts(coming: Awaitable[Message], receive: Receive, intake: _Intake) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await coming
        parts.append(_part(message))
        size += len(parts[-1])
        if size > intake.taken:
            await intake.expect(size)
        if not message.get("more_body"):
            return parts[0] if len(parts) == 1 else b"".join(parts)
        coming = receive()


def _part(message: Message) -> bytes:
    if message["type"] == "http.disconnect":
        raise ClientLeft
    part: bytes = message.get("body", b"")
    return part


async def _inflated(body: bytes, encoding: str, intake: _Intake) -> bytes:
    pieces, size = pieces_of(body, encoding), 0
    found: list[bytes] = []
    while (piece := await in_worker(lambda: next(pieces, None))) is not None:
        size += len(piece)
        await intake.expect(size)
        found.append(piece)
    return b"".join(found)


async def in_worker(work: Callable[[], T]) -> T:
    """Run `work` off the event loop, after other work that waits for the worker: the budget bounds how much."""
    return await asyncio.get_running_loop().run_in_executor(_worker, work)


def decode_members(body: bytes, read: Callable[[Members, bytes], T]) -> T:
    """`read` of a JSON object's members and of the body.

    NaN, infinities and lone surrogates are no JSON. Raises: DomainError invalid_json, invalid_request, as `read` does.
    """
    try:
        _check_text(body)
        members = members_of(body)
        for _, value in members:
            if memoryview(value)[0] in _NUMBER:
                _ANYTHING.decode(value)  # a number out of range is seen only when decoded
        return read(members, body)
    except msgspec.ValidationError as fault:
        if _OBJECT.match(body):
            raise _not_json(fault) from None
        _decode(body)
        raise DomainError("invalid_request", param=None, message="the body must be a JSON object") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        raise _not_json(fault) from None


_NUMBER = b"-0123456789"
_OBJECT = re.compile(rb"[ \t\r\n]*\{")


def _check_text(body: bytes) -> None:
    """Check in steps, so that the whole body is not copied.

    Raises: UnicodeDecodeError; DomainError invalid_request if a large body has more than MAX_BRACKETS.
    """
    if len(body) > LARGE_BYTES:
        brackets = 0
        for start in range(0, len(body), _STEP_BYTES):
            brackets += body.count(b"{", start, start + _STEP_BYTES) + body.count(b"[", start, start + _STEP_BYTES)
            if brackets > MAX_BRACKETS:
                message = f"the body has more than {MAX_BRACKETS} brackets and braces"
                raise DomainError("invalid_request", param=None, message=message)
    if not body.isascii():
        decoder, view = _Utf8(), memoryview(body)
        for start in range(0, len(body), _STEP_BYTES):
            try:
                decoder.decode(view[start : start + _STEP_BYTES], final=start + _STEP_BYTES >= len(body))
            except UnicodeDecodeError as fault:
                fault.start += start
                raise


_Utf8 = codecs.getincrementaldecoder("utf-8")


def _decode(body: bytes) -> None:
    """Raises: DomainError invalid_json."""
    try:
        _RAW.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        raise _not_json(fault) from None


def decode_as(decoder: "msgspec.json.Decoder[S]", body: bytes) -> S:
    """JSON of one shape. Raises: DomainError invalid_json, or invalid_request with the field in `param`."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as wrong:
        param = _field(str(wrong))
        raise DomainError("invalid_request", param=param, message=_sentence(str(wrong), param, decoder.type)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        raise _not_json(fault) from None


def _not_json(fault: Exception) -> DomainError:
    """The decoder's message names a byte, never the text there; for deep nesting it has no message."""
    if isinstance(fault, RecursionError):
        return DomainError("invalid_json", message="it is nested too deeply")
    if isinstance(fault, UnicodeDecodeError):
        return DomainError("invalid_json", message=f"byte {fault.start} is not UTF-8")
    return DomainError("invalid_json", message=str(fault))


def _sentence(fault: str, param: str | None, shape: type[msgspec.Struct]) -> str:
    """A message that names the field and its allowed values."""
    words = _AT_FIELD.sub("", fault)
    is_choice = words.startswith("Invalid enum value")
    kind = next((field.type for field in msgspec.structs.fields(shape) if field.encode_name == param), None)
    sentence = in_plain_words(words, choices_of(kind) if is_choice else ())
    return f"{param} {sentence}" if sentence.startswith("must ") else sentence


def _field(message: str) -> str | None:
    named = _NAMED_FIELD.match(message)
    at = _AT_FIELD.search(message)
    path = at.group(1) if at else ""
    if named is None:
        return path or None
    return f"{path}.{named.group(1)}" if path else named.group(1)
