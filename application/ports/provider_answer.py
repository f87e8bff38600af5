"""What a provider answered: whole, or a chunk of a stream."""

import msgspec

from domain.pricing.usage import Usage


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A whole answer of a provider.

    body:    its JSON with our generation id and canonical model in place, and no `usage` of ours yet.
    usage:   billed counts; None if the provider sent none, without a side that it did not tell. Not yet checked: it may
             be negative or absurd.
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
"""Between the events of one chunk, as between server-sent events. No JSON has it: texts hold no line end as it is, and
between tokens there are no names."""


class Chunk(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One event of a provider's stream, or several in a row that bring text and nothing else.

    data:         the JSON of each with our id and model spliced in, on one line, NEXT_EVENT between them; empty for a
                  chunk that carries only usage.
    choices:      indexes of the choices that it is about; empty if of none.
    is_bare:      it brings no output yet: a role, an empty text. Until others come, another provider may be tried.
    is_last:      these choices have finished: it waits for the settle, and so does all that follows of them.
    output_bytes: UTF-8 bytes of text, reasoning and tool arguments in it, for estimates.
    usage, is_doubtful: as in Answer, of all that the stream has told by then.
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
