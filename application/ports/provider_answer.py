"""A provider's answer: whole, or a chunk of a stream."""

import msgspec

from domain.pricing.usage import Usage


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A whole answer of a provider.

    body:    its JSON with our generation id and the canonical model, still without our `usage`.
    usage:   billed counts; None if the provider sent none. A side (input, output) that it left out is missing. Not
             checked yet: counts may be negative or absurd.
    is_doubtful: the provider's total contradicts its parts, or explains them in more than one way.
    """

    body: bytes
    usage: Usage | None
    raw_usage: bytes | None
    is_doubtful: bool = False
    finish_reason: str = ""
    provider_generation_id: str = ""
    output_bytes: int = 0


NEXT_EVENT = b"\n\ndata: "
"""Separates the events of one chunk, as in server-sent events. It never occurs in JSON: strings hold no raw line end,
and no bare names stand between tokens."""


class Chunk(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One event of a provider's stream, or several in a row that carry only text.

    data:         the JSON of each with our id and model spliced in, on one line, NEXT_EVENT between them; empty for a
                  chunk that carries only usage.
    choices:      indexes of its choices; empty if it belongs to none.
    is_bare:      no output: a role, an empty text. While all chunks are bare, another provider may be tried.
    is_last:      these choices have finished: this chunk and all later ones of these choices wait for the settle.
    output_bytes: UTF-8 bytes of text, reasoning and tool arguments in it, for estimates.
    usage, is_doubtful: as in Answer, for the stream up to this chunk.
    """

    data: bytes
    choices: tuple[int, ...] = (0,)
    is_bare: bool = False
    is_last: bool = False
    finish_reason: str = ""
    usage: Usage | None = None
    raw_usage: bytes | None = None
    is_doubtful: bool = False
    output_bytes: int = 0
    provider_generation_id: str = ""
