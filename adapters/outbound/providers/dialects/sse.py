"""Server-sent events: bytes in, the data of each event out, however the network split them.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html. Lines end in LF or CRLF; a lone CR does not end
a line here, because no provider sends it and JSON cannot contain it.
"""

from collections.abc import Iterator, Sequence

from adapters.outbound.providers.failures import BrokenAnswer, ErrorClass

MAX_EVENT_BYTES = 8 * 1024 * 1024
"""A generated image in base64 (about 4 MB) fits into one event; anything longer is not an event of a chat."""

FIELD, END = b"data: ", b"\n\n"


class EventReader:
    """Feeds on bytes, yields the data of whole events. Comments, ids and event names are skipped."""

    def __init__(self) -> None:
        self._fragments: list[bytes] = []  # of the line that has not ended yet
        self._lines: list[bytes] = []  # data lines of the event that has not ended yet
        self._size = 0  # of both

    def feed(self, received: bytes) -> Iterator[bytes]:
        """Data of the events that `received` completes. Raises BrokenAnswer event_too_large."""
        if b"\r" in received:
            yield from self._feed_any(received)
            return
        begun = _past(received.find(END)) if self._size else 0  # where ends what began before
        whole = _past(received.rfind(END))
        if begun:
            yield from self._feed_any(received[:begun])
        if whole > begun:
            events = received[begun:whole]
            yield from _plain_events(events) or self._feed_any(events)
        if whole < len(received):
            yield from self._feed_any(received[whole:])

    def _feed_any(self, received: bytes) -> Iterator[bytes]:
        first, *others = received.split(b"\n")
        self._keep(first)
        for start_of_next in others:
            event = self._end_line()
            if event:
                yield event
            self._keep(start_of_next)

    def end(self) -> bytes:
        """The event that the end of the stream completes, if its line breaks were left out; else empty."""
        return self._end_line() or self._end_event()

    def _keep(self, fragment: bytes) -> None:
        self._size += len(fragment)
        if self._size > MAX_EVENT_BYTES:
            raise BrokenAnswer(ErrorClass.EVENT_TOO_LARGE)
        if fragment:
            self._fragments.append(fragment)

    def _end_line(self) -> bytes:
        """The event, if this line ends one; else empty."""
        line = self._fragments[0] if len(self._fragments) == 1 else b"".join(self._fragments)
        self._fragments.clear()
        if line.endswith(b"\r"):
            line = line[:-1]
        if not line:
            return self._end_event()
        if line.startswith(b"data:"):
            self._lines.append(line[6:] if line[5:6] == b" " else line[5:])
        return b""

    def _end_event(self) -> bytes:
        event = self._lines[0] if len(self._lines) == 1 else b"\n".join(self._lines)
        self._lines.clear()
        self._size = 0
        return event


def _past(found: int) -> int:
    """Behind an END found there; 0 if there was none."""
    return found + len(END) if found >= 0 else 0


def _plain_events(received: bytes) -> Sequence[bytes]:
    """Of whole events that are one line of data each, which nearly all are; empty if one is not."""
    if not received.startswith(FIELD):
        return ()
    events = received[len(FIELD) : -len(END)].split(END + FIELD)
    is_plain = received.count(b"\n") == 2 * len(events) and all(events) and len(received) <= MAX_EVENT_BYTES
    return events if is_plain else ()
