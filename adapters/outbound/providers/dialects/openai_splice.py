"""The common chunk of a stream, without taking it apart: all that differs from the one before is in its choices.

Of a hundred chunks some ninety-five repeat the same members ahead of `choices` (id, object, created, model) and add a
piece of text. What stands ahead is then exchanged as one piece and the rest is passed on as it came
(docs/explanation/architecture.md#the-life-of-a-request); it is
still decoded, strictly: a chunk with anything that billing or the client's view depends on is read the long way.
"""

import msgspec

from adapters.outbound.providers.dialects.members import Members, has_line_end, joined
from adapters.outbound.providers.dialects.openai_output import bytes_of_text
from adapters.outbound.providers.dialects.openai_run import NO_USAGE, UNREADABLE, TextRun
from application.ports.provider_answer import Chunk

CHOICES = b'"choices":'


class Delta(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    role: str | None = None
    content: str | None = None
    refusal: str | None = None
    reasoning: str | None = None
    reasoning_content: str | None = None


class Choice(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """One that goes on: a finish_reason is not the common case."""

    delta: Delta
    index: int = 0
    finish_reason: None = None
    native_finish_reason: None = None
    logprobs: None = None


class Rest(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """From `choices` to the chunk's end. No id, model, error or usage in it."""

    choices: list[Choice]
    system_fingerprint: str | None = None
    service_tier: str | None = None
    obfuscation: str | None = None


class Splice:
    """Knows what stood ahead of `choices` in the last chunk that was read the long way, and what we make of it.

    going_on: choice index -> whether it still goes on; kept by the reader of the stream, and noted here too.
    run:      learns from each chunk read here what a run of its like looks like.
    names:    openai_members.our_names.
    """

    def __init__(self, going_on: dict[int, bool], run: TextRun, names: Members) -> None:
        self._going_on = going_on
        self._run = run
        self._names = names
        self._ahead: bytes | None = None
        self._ours = b""

    def learn(self, event: bytes, members: Members) -> None:
        """Of a chunk whose `members` have our names already: what stood ahead of its choices stands for the same again,
        if it is an object of its own once it is closed: then the choices were members of that object, not deeper."""
        self.forget()
        ahead, found, _ = event.partition(CHOICES)
        if not found:
            return
        try:
            names = _NAMES.decode(ahead + CHOICES + b"0}")
        except UNREADABLE:
            return
        if names.keys() & _NOT_AHEAD:
            return
        ours = joined({name: members[name] for name in names if name != "choices"} | self._names)
        self._ahead, self._ours = ahead, ours[:-1] + b"," + CHOICES

    def forget(self) -> None:
        """Nothing is read until something is learnt."""
        self._ahead = None
        self._run.forget()

    def read(self, event: bytes) -> Chunk | None:
        """The chunk with our names; None if it must be read the long way."""
        ahead, _, rest = event.partition(CHOICES)
        if ahead != self._ahead or has_line_end(rest):
            return None
        ours = rest.replace(NO_USAGE, b"")
        try:
            read = _REST.decode(b'{"choices":' + ours)
        except UNREADABLE:
            return None
        choices = read.choices
        if not choices:
            return None
        output_bytes = 0
        for choice in choices:
            output_bytes += _output_bytes(choice.delta)
            if choice.index not in self._going_on:
                self._going_on[choice.index] = True
        indexes = tuple(choice.index for choice in choices)
        if len(choices) == 1 and not choices[0].delta.refusal and read.obfuscation is None:
            self._run.learn(ahead + CHOICES, self._ours, rest, output_bytes, indexes)
        return Chunk(data=self._ours + ours, choices=indexes, output_bytes=output_bytes, is_bare=not output_bytes)


def _output_bytes(delta: Delta) -> int:
    """As openai_output counts: the names for reasoning are one text. A delta with its details is read the long way."""
    content = delta.content
    size = 0 if content is None else len(content) if content.isascii() else bytes_of_text(content)
    if delta.refusal:
        size += bytes_of_text(delta.refusal)
    if delta.reasoning or delta.reasoning_content:
        size += max(bytes_of_text(delta.reasoning or ""), bytes_of_text(delta.reasoning_content or ""))
    return size


_NOT_AHEAD = frozenset({"usage", "error", "x_groq"})
"""Members that are read, not only passed on."""

_NAMES = msgspec.json.Decoder(dict[str, msgspec.Raw])
_REST = msgspec.json.Decoder(Rest)
