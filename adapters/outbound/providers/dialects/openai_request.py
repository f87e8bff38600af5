"""Write the request: the client's members unchanged, except those that the gateway must set.

Values are copied byte for byte: numbers keep their digits, unknown values keep their form.
"""

import re
from collections.abc import Iterable, Sequence

import msgspec
from msgspec import Raw

from adapters.outbound.providers.dialects.members import members_of
from adapters.outbound.providers.dialects.openrouter_max_price import MEMBER, with_max_price
from adapters.outbound.providers.endpoint import Endpoint
from application.generate.request.read_chat_request import TOKEN_FIELDS
from application.ports.chat_providers import ChatCall

EXTRAS = frozenset({"models", "provider", "route", "plugins", "transforms", "usage", "session_id"})
"""OpenRouter's parameters and ours. OpenAI and others refuse them, so a row must say that it takes them."""

ANSWERED_HERE = frozenset({"usage"})
"""Asks for members that all our answers have: nothing is lost if the provider does not get it."""

OURS = frozenset({*TOKEN_FIELDS, "model", "stream", "stream_options"})
"""Members that are rewritten, or left out if they have no effect; never counted as dropped."""

MAX_NAMED = 50
"""Dropped parameters named in the response header, so that every client accepts its length."""

_SHOWABLE = re.compile(r"[A-Za-z0-9_.-]{1,100}")

_USAGE = Raw(b"true")

_encode = msgspec.json.Encoder().encode


def write_request(call: ChatCall, endpoint: Endpoint, *, streaming: bool) -> bytes:
    """The client's body with the provider's model id and one token limit, the granted one.

    The limit goes into the field that the client used; if it used both or none, into the field that the row names.
    A stream always asks for usage. Members that the provider's row drops or does not know are left out. If the row
    pins the price of upstreams, `provider` comes last.
    """
    limit = _limit_field(call.members, endpoint)
    ours = {
        "model": _encode(call.offer.native_id),
        limit: b"%d" % call.max_tokens,
        "stream": b"true" if streaming else b"false",
    }
    if streaming:
        ours["stream_options"] = b'{"include_usage":true}'
    pins = endpoint.pins_max_price
    parts: list[bytes | memoryview] = []
    for name, value in call.members:
        if name in ours:
            parts += b",", _encode(name), b":", _options(value) if name == "stream_options" else ours[name]
            del ours[name]
        elif name not in OURS and endpoint.passes(name, EXTRAS) and not (pins and name == MEMBER):
            parts += b",", _encode(name), b":", memoryview(value)
    if pins and call.offer.prices is not None:
        asked = next((value for name, value in reversed(call.members) if name == MEMBER), None)
        ours[MEMBER] = with_max_price(asked if endpoint.passes(MEMBER, EXTRAS) else None, call.offer.prices)
    for name, written in ours.items():
        parts += b",", _encode(name), b":", written
    return b"".join((b"{", *parts[1:], b"}"))


def dropped(names: Iterable[str], endpoint: Endpoint) -> tuple[str, ...]:
    """The client's members that `write_request` leaves out, without those that the gateway answers."""
    left_out = {name for name in names if name not in OURS and not endpoint.passes(name, EXTRAS)} - ANSWERED_HERE
    if not left_out:
        return ()
    names = sorted({name if _SHOWABLE.fullmatch(name) else "?" for name in left_out})
    return tuple(names[:MAX_NAMED])


def _limit_field(members: Sequence[tuple[str, Raw]], endpoint: Endpoint) -> str:
    newer, older = TOKEN_FIELDS
    ours = newer if "max_completion_tokens" in endpoint.quirks else older
    used = [name for name, value in members if name in TOKEN_FIELDS and bytes(memoryview(value)[:1]) != b"n"]
    return used[0] if len(used) == 1 else ours


def _options(value: Raw) -> bytes:
    """The client's stream options with `include_usage`, which every stream sets."""
    if bytes(memoryview(value)[:1]) != b"{":
        return b'{"include_usage":true}'
    options = members_of(bytes(value))
    options["include_usage"] = _USAGE
    return _encode(options)
