"""Notes which streams are due a snapshot, and writes it when the queue is empty or it can wait no longer."""

from adapters.outbound.postgres.append.load_streams import SNAPSHOT_EVERY, put_snapshots
from adapters.outbound.postgres.append.stream_cache import Cached, StreamCache
from adapters.outbound.postgres.wire.ask_server import WireConnection
from domain.aggregates import AGGREGATES, aggregate_of

MAX_DUE = 500
"""Streams per write."""


class SnapshotsDue:
    def __init__(self, cache: StreamCache) -> None:
        self._cache = cache
        self._due: dict[str, Cached] = {}
        self._is_overdue = False

    def consider(self, stream: str, cached: Cached) -> None:
        """`cached` is the state that the log has now."""
        events = cached.version - cached.snapshot_version
        if events >= SNAPSHOT_EVERY and stream.partition("-")[0] in AGGREGATES:
            self._due[stream] = cached
            self._is_overdue = self._is_overdue or events >= 2 * SNAPSHOT_EVERY

    def forget(self) -> None:
        """For a restored log, which may lack the events of these states."""
        self._due, self._is_overdue = {}, False

    def are_wanted(self, *, is_idle: bool) -> bool:
        """Under load the queue is never empty, and a hot account must not wait for its snapshot for ever."""
        return bool(self._due) and (is_idle or self._is_overdue or len(self._due) >= MAX_DUE)

    async def store(self, connection: WireConnection, timeout_s: float) -> None:
        """Write the snapshots that are due. Even if it fails, they are due again only after more events."""
        due, self._due, self._is_overdue = self._due, {}, False
        await put_snapshots(
            connection, {stream: (aggregate_of(stream), cached) for stream, cached in due.items()}, timeout_s
        )
        for stream, snapshot in due.items():
            cached = self._cache.get(stream)
            if cached is not None:
                self._cache.put(stream, cached._replace(snapshot_version=snapshot.version))
