"""A run of chunks that differ only in their text, read as one.

Most chunks of a stream repeat the same bytes before and after a piece of text. After one such chunk was read strictly,
the next ones are cut at these common bytes. That leaves the insides of JSON strings. One call decodes them all,
strictly, and the run is passed on as one piece with our names in place of the provider's.
"""

import re
from itertools import takewhile

import msgspec

from adapters.outbound.providers.dialects.openai_output import bytes_of_text
from adapters.outbound.providers.dialects.sse import END, FIELD
from application.ports.provider_answer import NEXT_EVENT, Chunk

MAX_LEARNT = 8
"""A stream that changes its form more often (such as several choices in turn) has no runs: stop looking for them."""

NO_USAGE = b',"usage":null'
"""OpenAI and others put it into every chunk but the last when usage is requested. We leave it out, as the full parse
does. It is never part of a text: there quotes are escaped."""


class TextRun:
    """The bytes before and after the text in a stream's chunks: as received, and as we send them."""

    def __init__(self) -> None:
        self._learnt = 0
        self.forget()

    def forget(self) -> None:
        self._first = b""  # start of a run, up to its text; empty: no run is known

    def learn(self, ahead: bytes, ours: bytes, rest: bytes, output_bytes: int, choices: tuple[int, ...]) -> None:
        """Learn from a strictly read chunk with one choice: `ahead`, which we send as `ours`, then `rest`.

        Useful only if one text holds all its output and can be separated from the bytes around it.
        """
        self.forget()
        texts = [found for found in _TEXT.finditer(rest) if found[1]]
        if len(texts) != 1 or _output_bytes([texts[0][1]]) != output_bytes or self._learnt == MAX_LEARNT:
            return
        before, behind = rest[: texts[0].start(1)], rest[texts[0].end(1) :]
        if b"\\" in ahead + before + behind or b"\n" in ahead + before + behind:
            return  # escapes may hide names; an event of several lines is rare
        self._learnt += 1
        self._choices = choices
        self._before, self._behind = ahead + before, behind
        self._inside = slice(len(self._before), -len(behind))
        self._first = FIELD + self._before
        self._last = behind + END
        self._between = self._last + self._first
        self._our_first = ours + before.replace(NO_USAGE, b"")
        self._our_last = behind.replace(NO_USAGE, b"")
        self._our_between = self._our_last + NEXT_EVENT + self._our_first

    def read(self, events: bytes, start: int) -> tuple[Chunk | None, int]:
        """The run at `start` of whole `events`, None if there is none, and the offset after it."""
        if not self._first or not events.startswith(self._first, start):
            return None, start
        bodies = events[start + len(FIELD) : -len(END)].split(NEXT_EVENT)
        while bodies and not bodies[-1].endswith(self._behind):  # such as the last chunk of a stream
            bodies.pop()
        texts = [body[self._inside] for body in bodies]
        run = self._first + self._between.join(texts) + self._last
        if not events.startswith(run, start):
            texts = [body[self._inside] for body in takewhile(self._is_alike, bodies)]
            run = self._first + self._between.join(texts) + self._last
        if not texts:
            return None, start
        output_bytes = _output_bytes(texts)
        if output_bytes is None:
            self.forget()  # not a run; do not retry it for every event
            return None, start
        data = self._our_first + self._our_between.join(texts) + self._our_last
        chunk = Chunk(data=data, choices=self._choices, output_bytes=output_bytes, is_bare=not output_bytes)
        return chunk, start + len(run)

    def _is_alike(self, body: bytes) -> bool:
        around = len(self._before) + len(self._behind)
        return len(body) >= around and body.startswith(self._before) and body.endswith(self._behind)


def _output_bytes(texts: list[bytes]) -> int | None:
    """UTF-8 bytes of the decoded insides of JSON strings; None if one of them is not the inside of a string.

    They are decoded as one array. A quote inside one would make more strings than texts; only a backslash that escapes
    the quote after its text could hide that.
    """
    joined = b'","'.join(texts)
    if (b'\\","' in joined or joined.endswith(b"\\")) and _ESCAPES_ITS_END.search(joined):
        return None
    try:
        decoded = _STRINGS.decode(b'["' + joined + b'"]')
    except UNREADABLE:
        return None
    return bytes_of_text("".join(decoded)) if len(decoded) == len(texts) else None


UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

_TEXT = re.compile(rb'"(?:content|reasoning|reasoning_content)"\s*:\s*"((?:[^"\\]|\\.)*)"')
_STRINGS = msgspec.json.Decoder(list[str])
_ESCAPES_ITS_END = re.compile(rb'(?<!\\)(?:\\\\)*\\(?:","|\Z)')
