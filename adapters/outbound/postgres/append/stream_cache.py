"""The newest state of recently used streams, as this process saw it; the version check catches a stale one."""

from collections import OrderedDict
from typing import Any, NamedTuple

from adapters.outbound.postgres.append.append_batch import NewEvent
from domain.aggregates import CODEC
from domain.decider import AnyDecider

MAX_STREAMS = 20_000
"""About 2 KB each: 40 MB at the most, well under an API process's 150 MB (issue: resident memory)."""


class Cached(NamedTuple):
    """A stream's state after `version` events; `snapshot_version` is the version of its stored snapshot."""

    version: int
    state: Any
    snapshot_version: int = 0


class StreamCache:
    """Least recently used streams are dropped; dropping one only costs a load."""

    def __init__(self, max_streams: int = MAX_STREAMS) -> None:
        self._max_streams = max_streams
        self._streams: OrderedDict[str, Cached] = OrderedDict()

    def get(self, stream: str) -> Cached | None:
        found = self._streams.get(stream)
        if found is not None:
            self._streams.move_to_end(stream)
        return found

    def put(self, stream: str, cached: Cached) -> None:
        self._streams[stream] = cached
        self._streams.move_to_end(stream)
        if len(self._streams) > self._max_streams:
            self._streams.popitem(last=False)

    def drop(self, stream: str) -> None:
        self._streams.pop(stream, None)

    def clear(self) -> None:
        self._streams.clear()

    def __len__(self) -> int:
        return len(self._streams)


def caught_up(decider: AnyDecider, cached: Cached, missed: list[NewEvent]) -> Cached:
    """`cached` after the `missed` events."""
    state, version = cached.state, cached.version
    for event in missed:
        state = decider.evolve(state, CODEC.decode(event.tag, event.state))
        version = event.version
    return cached._replace(version=version, state=state)
