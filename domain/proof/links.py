"""The chain over a stretch of the log that begins and ends with a block, checked without the stretches before it.

Blocks are linked by their stored chain values, so stretches can be proven in any order and in parallel: the log is
intact if each stretch is, from the end of the one before. ChainWalk finds what exactly is wrong with a damaged one.
"""

from collections.abc import Iterator, Sequence
from operator import le
from typing import NamedTuple

from domain.proof.chain import GENESIS_CHAIN, Block, Head, StoredEvent, block_chain, block_digest, event_digest


class Link(NamedTuple):
    """The state of the log right before a stretch: last position, chain value and time."""

    position: int
    chain: bytes
    recorded_at: bytes


GENESIS = Link(0, GENESIS_CHAIN, bytes(8))


class StretchWalk:
    """Checks the events of a stretch and its blocks, but not their versions: a stream may begin before the stretch."""

    def __init__(self, blocks: Iterator[Block], after: Link) -> None:
        """blocks: of the stretch, in order of their positions."""
        self._is_unbroken = True
        self._blocks = blocks
        self._after = after
        self._digests: list[bytes] = []
        self._next = next(blocks, None)

    def walk(self, events: Sequence[StoredEvent]) -> None:
        """Check the next events, in order."""
        if not self._is_unbroken:
            return
        position = self._after.position + len(self._digests)
        self._digests += map(event_digest, events)
        times = [self._after.recorded_at, *(event[5] for event in events)]
        is_dense = [event[0] for event in events] == list(range(position + 1, position + 1 + len(events)))
        self._is_unbroken = is_dense and all(map(le, times, times[1:])) and self._are_chained()
        self._after = self._after._replace(recorded_at=times[-1])

    def is_at(self, position: int | None) -> bool:
        """After the last event: whether the stretch is intact and ends at `position` with a block."""
        is_whole = self._is_unbroken and not self._digests and self._next is None
        return is_whole and self._after.position == position

    def is_at_head(self, head: Head) -> bool:
        """The same for the end of the log."""
        _, chain, recorded_at = self._after
        is_head = chain == head.chain and (not head.position or recorded_at == head.recorded_at)
        return is_head and self.is_at(head.position)

    def _are_chained(self) -> bool:
        """Close the blocks that have all their events."""
        while (block := self._next) is not None and self._digests:
            first, last, digest, stored_chain = block
            position, chain, recorded_at = self._after
            if first != position + 1 or last < first:
                return False
            covered, rest = self._digests[: last - position], self._digests[last - position :]
            if len(covered) < last - position:
                return True
            chain = block_chain(chain, first, last, digest)
            if block_digest(covered) != digest or chain != stored_chain:
                return False
            self._after, self._digests = Link(last, chain, recorded_at), rest
            self._next = next(self._blocks, None)
        return not self._digests  # events that no block covers
