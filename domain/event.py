"""Events: frozen structs, each with a stable, versioned tag that is stored as its topic."""

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from datetime import UTC, datetime
from typing import Annotated, ClassVar

import msgspec

Instant = Annotated[datetime, msgspec.Meta(tz=True)]
"""A time with its offset from UTC; without one, times cannot be compared."""

GENESIS = datetime(1970, 1, 1, tzinfo=UTC)
"""The time of an empty stream."""


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A fact, past tense. `at` is the deciding Clock's time (UTC); order is by position, never by `at`."""

    tag: ClassVar[str]
    at: Instant

    def upcast(self) -> "Event":
        """A retired version returns the current one, with the same meaning; the current version returns itself."""
        return self

    def clamped(self) -> Sequence[str]:
        """Fields with a recorded value outside its range, which `upcast` moves to the nearer end. Only retired versions
        have any: current ones are decided within their ranges."""
        return ()


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """A request, imperative. It carries its own time, ids and prices, so that `decide` needs nothing else."""

    at: datetime


class UnknownTag(Exception):
    """The log holds a tag that this build does not know: a newer build wrote the event, or it was tampered with."""


class EventCodec:
    """Encodes events as JSON and decodes them by tag; retired versions come back as the current one (Event.upcast)."""

    def __init__(self, kinds: Iterable[type[Event]]) -> None:
        kinds = tuple(kinds)
        self.readers: Mapping[str, Callable[[bytes], Event]] = {kind.tag: _reader(kind) for kind in kinds}
        """Decoders by tag, for hot loops that handle unknown tags themselves."""
        self._clamping = {kind.tag: msgspec.json.Decoder(kind) for kind in kinds if kind.clamped is not Event.clamped}
        self._encoder = msgspec.json.Encoder()

    @property
    def clamping(self) -> Set[str]:
        """Tags for which `clamped` may return fields."""
        return self._clamping.keys()

    @property
    def tags(self) -> frozenset[str]:
        return frozenset(self.readers)

    def encode(self, event: Event) -> bytes:
        return self._encoder.encode(event)

    def decode(self, tag: str, state: bytes) -> Event:
        """Raises: UnknownTag; msgspec.ValidationError if `state` does not fit the tag; UnicodeDecodeError if it is not
        text."""
        read = self.readers.get(tag)
        if read is None:
            raise UnknownTag(tag)
        return read(state)

    def clamped(self, tag: str, state: bytes) -> Sequence[str]:
        """Fields of a recorded event that decoding moves into their range."""
        decoder = self._clamping.get(tag)
        return () if decoder is None else decoder.decode(state).clamped()


def _reader(kind: type[Event]) -> Callable[[bytes], Event]:
    decode = msgspec.json.Decoder(kind).decode
    return decode if kind.upcast is Event.upcast else lambda state: decode(state).upcast()
