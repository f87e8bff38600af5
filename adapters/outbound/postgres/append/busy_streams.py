"""Streams that cannot be appended to because another session holds their lock, and for how long.

A turn on a stream lasts milliseconds, two seconds at most (take_turn.py). A lock that is held longer is not ours: the
account's requests wait until their patience ends, so operators must be able to see why.
"""

import time
from collections.abc import Callable, Iterable

import structlog

LONG_S = 3.0
"""Longer than any turn."""

QUIET_S = 10.0
"""If no append tried a stream for this long, the stream is not known to be busy."""

SAY_EVERY_S = 60.0
MOST = 1_000
"""Streams that are remembered; the oldest is dropped first."""

log = structlog.get_logger()


class BusyStreams:
    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        """clock_s: seconds that never go back."""
        self._clock_s = clock_s
        self._since: dict[str, float] = {}
        self._seen: dict[str, float] = {}
        self._said: dict[str, float] = {}

    def note(self, stream: str) -> None:
        """An append found `stream` locked."""
        now_s = self._clock_s()
        if now_s - self._seen.get(stream, now_s) > QUIET_S:
            self.forget([stream])
        since_s = self._since.setdefault(stream, now_s)
        self._seen[stream] = now_s
        if now_s - since_s >= LONG_S and now_s - self._said.get(stream, since_s - SAY_EVERY_S) >= SAY_EVERY_S:
            self._said[stream] = now_s
            log.warning(
                "a stream is locked by another session: its requests wait", stream=stream, s=round(now_s - since_s)
            )
        if len(self._since) > MOST:
            self.forget([next(iter(self._since))])

    def forget(self, streams: Iterable[str]) -> None:
        """These streams were appended to."""
        if self._since:
            for stream in streams:
                self._since.pop(stream, None)
                self._seen.pop(stream, None)
                self._said.pop(stream, None)

    def long(self) -> dict[str, float]:
        """Seconds by stream, for streams that have been locked for at least LONG_S."""
        now_s = self._clock_s()
        quiet = [stream for stream, seen_s in self._seen.items() if now_s - seen_s > QUIET_S]
        self.forget(quiet)
        return {stream: now_s - since_s for stream, since_s in self._since.items() if now_s - since_s >= LONG_S}
