"""The bounds of the protocol itself. None is a setting: no client of an API needs more."""

MAX_HEAD_BYTES = 32 * 1024
"""Request line and fields. Proxies in front mostly allow 8 to 16 KB; nothing beyond the bound is kept."""

MAX_FIELDS = 100
"""Header fields of a request, trailers included. SDKs send about 20, proxies add a dozen."""

HEAD_TIMEOUT_S = 10.0
"""From the start of a connection, or the first byte of a later head, to that head's end."""

MAX_PIPELINED = 8
"""Requests that wait behind the one being answered; later bytes stay unparsed until these are answered."""

MAX_HELD_BYTES = 16 * 1024 * 1024
"""Of such bytes in one process: 64 connections with a full read each. A connection that exceeds it is closed."""

CHUNKED_STEP = 4 * 1024
"""A chunked body is parsed in such pieces: only the parser sees its end, at most so far before the end of a piece."""

LINGER_S = 1.0
"""If a connection is closed while the client still sends, it stays half open for so long: an immediate reset may
destroy the answer before the client has read it."""
