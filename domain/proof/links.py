"""The chain over a stretch of the log that begins and ends with a block: whole or not, whatever went before.

Blocks are linked by their stored chain values, so stretches can be proven in any order and side by side: when each
holds from where the one before it ends, all of them do. What exactly is wrong with one that does not, ChainWalk says.
"""

from collections.abc import Sequence
from operator import le
from typing import NamedTuple

from domain.proof.chain import GENESIS_CHAIN, Block, Head, StoredEvent, block_chain, block_digest, event_digest


class Link(NamedTuple):
    """What the log had come to right before a stretch: the last position, chain value and time."""

    position: int
    chain: bytes
    recorded_at: bytes


GENESIS = Link(0, GENESIS_CHAIN, bytes(8))


def is_unbroken(events: Sequence[StoredEvent], blocks: Sequence[Block], after: Link) -> bool:
    """Whether `events` follow densely on `after`, in order of time, and `blocks` are theirs and chained; all in order.

    Versions are not looked at: a stream may begin before the stretch.
    """
    first = after.position + 1
    if [event[0] for event in events] != list(range(first, first + len(events))):
        return False
    times = [after.recorded_at, *(event[5] for event in events)]
    return all(map(le, times, times[1:])) and _are_chained(blocks, list(map(event_digest, events)), after)


def is_ended(events: Sequence[StoredEvent], blocks: Sequence[Block], after: Link, head: Head) -> bool:
    """Whether an unbroken stretch ends where the head says that the log ends."""
    reached = Link(events[-1][0], blocks[-1][3], events[-1][5]) if events and blocks else after
    return reached[:2] == head[:2] and (not head.position or reached.recorded_at == head.recorded_at)


def _are_chained(blocks: Sequence[Block], digests: Sequence[bytes], after: Link) -> bool:
    position, chain = after.position, after.chain
    for first, last, digest, stored_chain in blocks:
        covered = digests[first - after.position - 1 : last - after.position]
        if first != position + 1 or last < first or len(covered) != last - position:
            return False
        chain = block_chain(chain, first, last, digest)
        if block_digest(covered) != digest or chain != stored_chain:
            return False
        position = last
    return position == after.position + len(digests)
