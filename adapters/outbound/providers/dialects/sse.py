"""Server-sent events: bytes in, split anywhere, the data of each event out.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html. Lines end in LF or CRLF; a lone CR does not end
a line here, because no provider sends it and JSON cannot contain it.
"""

from collections.abc import Iterable, Iterator

from adapters.outbound.providers.failures import BrokenAnswer, ErrorClass

MAX_EVENT_BYTES = 8 * 1024 * 1024
"""A generated image in base64 (about 4 MB) fits into one event; nothing longer is an event of a chat."""

MAX_IDLE_LINES = 100_000
"""Comments and other lines without data between two events: a comment per second is 7,200 lines for the longest stream,
and a flood of such lines reaches the bound in a tenth of a second."""

FIELD, END = b"data: ", b"\n\n"


class ErrorEvent(bytes):
    """Data of an event named `error`."""


class EventReader:
    """Bytes in, the data of whole events out: `cut` the received bytes, then read the parts in order.

    Comments, ids and event names are skipped, except the name `error`.
    """

    def __init__(self) -> None:
        self._is_error = False  # whether the unfinished event is named `error`
        self._idle = 0  # lines without data since the last event
        self._fragments: list[bytes] = []  # of the unfinished line
        self._lines: list[bytes] = []  # data lines of the unfinished event
        self._size = 0  # of both, in bytes

    @property
    def is_between_events(self) -> bool:
        return not self._size

    def cut(self, received: bytes) -> tuple[bytes, bytes, bytes]:
        """The end of an unfinished event, whole events, the beginning of the next: the first and last are for `feed`,
        the middle is for `whole`. Input with CRs, or over the limit, is returned whole as the first part."""
        if b"\r" in received or len(received) > MAX_EVENT_BYTES:
            return received, b"", b""
        begun = _past(received.find(END)) if self._size else 0
        whole = max(begun, _past(received.rfind(END)))
        return received[:begun], received[begun:whole], received[whole:]

    def feed(self, received: bytes) -> Iterator[bytes]:
        """Data of the events that `received` completes; they may be split anywhere.

        Raises: BrokenAnswer event_too_large; malformed_answer for a flood of lines without data.
        """
        first, *others = received.split(b"\n")
        self._keep(first)
        for start_of_next in others:
            event = self._end_line()
            if event or isinstance(event, ErrorEvent):
                self._idle = 0
                yield event
            self._keep(start_of_next)

    def whole(self, received: bytes) -> Iterable[bytes]:
        """Data of a whole event that begins in `received`; none if it has no data."""
        event = _plain_event(received)
        if not event:
            return self.feed(received)
        self._idle = 0
        return (event,)

    def end(self, begun: bytes = b"") -> bytes:
        """The event that the end of the stream completes, if its line breaks are missing; else empty. begun: the last
        bytes, in which no event ends."""
        for _ in self.feed(begun):
            pass
        return self._end_line() or self._end_event()

    def _keep(self, fragment: bytes) -> None:
        self._size += len(fragment)
        if self._size > MAX_EVENT_BYTES:
            raise BrokenAnswer(ErrorClass.EVENT_TOO_LARGE, unread_bytes=self._size)
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
        if line.startswith(b"event:"):
            self._is_error = line[6:].strip() == b"error"
        self._count_idle()
        return b""

    def _end_event(self) -> bytes:
        event = self._lines[0] if len(self._lines) == 1 else b"\n".join(self._lines)
        self._lines.clear()
        self._size = 0
        if self._is_error:
            self._is_error = False
            return ErrorEvent(event)
        if not event:
            self._count_idle()
        return event

    def _count_idle(self) -> None:
        self._idle += 1
        if self._idle > MAX_IDLE_LINES:
            raise BrokenAnswer(ErrorClass.MALFORMED_ANSWER)


def end_of_event(events: bytes, start: int) -> int:
    """The end of the event at `start` of whole `events`. An extra blank line is not an event."""
    return _past(events.find(END, start)) or len(events)


def _past(found: int) -> int:
    """The offset after an END found at `found`; 0 if there was none."""
    return found + len(END) if found >= 0 else 0


def _plain_event(received: bytes) -> bytes:
    """The data of a whole event that is one line of data, as nearly all are; empty if it is not."""
    is_plain = received.startswith(FIELD) and received.find(b"\n") == len(received) - len(END)
    return received[len(FIELD) : -len(END)] if is_plain else b""
