"""The bounds of the protocol itself. None is a setting: a client that needs more is not one of an API."""

MAX_HEAD_BYTES = 32 * 1024
"""Request line and fields. Proxies in front mostly allow 8 to 16 KB; nothing beyond is kept, so none is paid for."""

MAX_FIELDS = 100
"""Header fields of a request, trailers included. SDKs send about 20, proxies add a dozen."""

HEAD_TIMEOUT_S = 10.0
"""From a connection's beginning, or the first byte of a later head, to that head's end."""

MAX_PIPELINED = 8
"""Requests that wait behind the one being answered; the rest of what was read stays bytes until they are through."""

MAX_HELD_BYTES = 16 * 1024 * 1024
"""Of such rests in one process: 64 connections with a full read each. Beyond it a connection that adds is closed."""

CHUNKED_STEP = 4 * 1024
"""A chunked body is parsed in such pieces: its end, which only the parser sees, is at most so far from a piece's."""

LINGER_S = 1.0
"""A connection that is closed on a client still sending stays half open for so long: an immediate reset may take the
answer away before the client has read it."""
