"""Versions are dense from 1 in every stream."""

from collections.abc import Iterable


class VersionWalk:
    """Checks all events in order; keeps one number per stream. It only detects a gap; ChainWalk finds where it is."""

    def __init__(self) -> None:
        self.is_dense = True
        self._versions: dict[str, int] = {}

    def walk(self, versions: Iterable[tuple[str, int]]) -> None:
        """Take (stream, version) of the next events."""
        reached = self._versions
        for stream, version in versions:
            if version != reached.get(stream, 0) + 1:
                self.is_dense = False
            reached[stream] = version
