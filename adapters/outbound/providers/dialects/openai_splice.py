"""Read the common chunk of a stream without a full parse: it differs from the one before only in its choices.

About 95 of 100 chunks repeat the same members ahead of `choices` (id, object, created, model) and add a piece of text.
The part ahead is then replaced as a whole and the rest is passed on as received
(docs/explanation/architecture.md#the-life-of-a-request). The rest is still decoded, strictly: a chunk with any member
that matters for billing or the client gets the full parse.
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
    """A choice that goes on; one with a finish_reason gets the full parse."""

    delta: Delta
    index: int = 0
    finish_reason: None = None
    native_finish_reason: None = None
    logprobs: None = None


class Rest(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A chunk from `choices` to its end, without id, model, error or usage."""

    choices: list[Choice]
    system_fingerprint: str | None = None
    service_tier: str | None = None
    obfuscation: str | None = None


class Splice:
    """Keeps the part ahead of `choices` of the last fully parsed chunk, and our replacement for it.

    going_on: choice index -> whether it still goes on; the stream's reader owns it, both update it.
    run:      learns the form of a run from each chunk read here.
    names:    openai_members.our_names.
    """

    def __init__(self, going_on: dict[int, bool], run: TextRun, names: Members) -> None:
        self._going_on = going_on
        self._run = run
        self._names = names
        self._ahead: bytes | None = None
        self._ours = b""

    def learn(self, event: bytes, members: Members) -> None:
        """Learn from a parsed chunk; its `members` have our names already.

        The prefix before `choices` can be reused if it parses as a complete object: then `choices` is a member of that
        object, not deeper.
        """
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
        """`read` returns None until the next `learn`."""
        self._ahead = None
        self._run.forget()

    def read(self, event: bytes) -> Chunk | None:
        """The chunk with our names; None if it needs the full parse."""
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
    """Counts as openai_output does: both names for reasoning hold one text. Reasoning details need the full parse."""
    content = delta.content
    size = 0 if content is None else len(content) if content.isascii() else bytes_of_text(content)
    if delta.refusal:
        size += bytes_of_text(delta.refusal)
    if delta.reasoning or delta.reasoning_content:
        size += max(bytes_of_text(delta.reasoning or ""), bytes_of_text(delta.reasoning_content or ""))
    return size


_NOT_AHEAD = frozenset({"usage", "error", "x_groq"})
"""Members that the gateway reads, not only passes on."""

_NAMES = msgspec.json.Decoder(dict[str, msgspec.Raw])
_REST = msgspec.json.Decoder(Rest)
