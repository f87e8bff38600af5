"""The hash chain over the log, checked without a database; the same rule as in migrations/functions/event_digest.sql
and block_chain.sql.

An event's digest covers every column of it, a block's digest covers its events' digests in order, and each block is
chained to the one before. Changing, dropping, adding or reordering anything changes every chain value after it.
"""

import struct
from collections.abc import Iterator, Sequence
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple

from domain.proof.finding import Finding

GENESIS_CHAIN = bytes(32)
"""The chain value before the first block."""

_UNCORRELATED = struct.Struct("!qq8s16sii")
_CORRELATED = struct.Struct("!qq8s16si16si")
_LENGTH = struct.Struct("!i")
_UUID_BYTES = 16
_RANGE = struct.Struct("!qq")


class StoredEvent(NamedTuple):
    """An event as bytes: exactly what its digest covers. The walks accept any tuple of this shape.

    recorded_at:  8 bytes, microseconds since 2000-01-01 UTC, big-endian, as PostgreSQL sends it.
    """

    position: int
    stream: str
    version: int
    tag: str
    state: bytes
    recorded_at: bytes
    command_id: bytes
    correlation_id: bytes | None


class Block(NamedTuple):
    """The events of one append."""

    first_position: int
    last_position: int
    digest: bytes
    chain: bytes


class Head(NamedTuple):
    position: int
    chain: bytes
    recorded_at: bytes


def event_digest(event: StoredEvent) -> bytes:
    """SHA-256 over every column; variable parts are length-prefixed, so no two events share an encoding."""
    position, stream, version, tag, state, recorded_at, command_id, correlation_id = event
    name = stream.encode()
    if correlation_id is None:
        head = _UNCORRELATED.pack(position, version, recorded_at, command_id, 0, len(name))
    else:
        head = _CORRELATED.pack(position, version, recorded_at, command_id, _UUID_BYTES, correlation_id, len(name))
    return sha256(b"".join((head, name, _prefixed(tag), _LENGTH.pack(len(state)), state))).digest()


@lru_cache(maxsize=1_000)  # there are a few dozen tags; a forged log may have any number
def _prefixed(tag: str) -> bytes:
    kind = tag.encode()
    return _LENGTH.pack(len(kind)) + kind


def block_digest(event_digests: Sequence[bytes]) -> bytes:
    return sha256(b"".join(event_digests)).digest()


def block_chain(previous: bytes, first_position: int, last_position: int, digest: bytes) -> bytes:
    return sha256(previous + _RANGE.pack(first_position, last_position) + digest).digest()


class ChainWalk:
    """Checks events and their blocks from genesis. Stops at the first damage: nothing beyond it can be checked."""

    def __init__(self, blocks: Iterator[Block]) -> None:
        """blocks: all of them, in order of their positions."""
        self.chain = GENESIS_CHAIN
        self.position = 0
        self.recorded_at = bytes(8)
        self._blocks = blocks
        self._block: Block | None = None
        self._digests: list[bytes] = []
        self._versions: dict[str, int] = {}

    def walk(self, events: Sequence[StoredEvent]) -> Finding | None:
        """Check the next events. Returns: what is wrong with the first bad one, if any."""
        versions, previous, recorded_before = self._versions, self.position, self.recorded_at
        for event in events:
            position, stream, version, _, _, recorded_at, _, _ = event
            expected = versions.get(stream, 0) + 1
            if position != previous + 1 or version != expected or recorded_at < recorded_before:
                return _out_of_order(StoredEvent(*event), previous + 1, expected)
            versions[stream], previous, recorded_before = version, position, recorded_at
            fault = self._digested(event, position)
            if fault is not None:
                return fault
        self.position, self.recorded_at = previous, recorded_before
        return None

    def end(self, head: Head) -> Finding | None:
        """After the last event: check that the blocks and the head end there too."""
        if self.position != head.position:
            wrong = f"the head says {head.position} events, the log ends at {self.position}"
            return _log(min(self.position, head.position) + 1, wrong)
        if self._block is not None and self._digests:
            return _chain(self._block.first_position, f"its block ends at {self._block.last_position}, beyond the log")
        extra = next(self._blocks, None)
        if extra is not None:
            return _chain(extra.first_position, "there is a block, but no event")
        if self.chain != head.chain:
            return _chain(head.position, "the head's chain value is not that of the last block")
        if self.position and self.recorded_at != head.recorded_at:
            return _chain(head.position, "the head's time is not that of the last event")
        return None

    def _digested(self, event: StoredEvent, position: int) -> Finding | None:
        block = self._block
        if block is None:
            block = self._block = next(self._blocks, None)
            if block is None or block.first_position != position:
                found = "there is none" if block is None else f"the next starts at {block.first_position}"
                return _chain(position, f"no block starts here: {found}")
        self._digests.append(event_digest(event))
        return None if position < block.last_position else self._close(block)

    def _close(self, block: Block) -> Finding | None:
        digest = block_digest(self._digests)
        self.chain = block_chain(self.chain, block.first_position, block.last_position, digest)
        self._block, self._digests = None, []
        if digest != block.digest:
            return _chain(block.first_position, f"an event was changed in the block up to {block.last_position}")
        if self.chain != block.chain:
            return _chain(block.first_position, f"the chain breaks at the block up to {block.last_position}")
        return None


def _out_of_order(event: StoredEvent, position: int, version: int) -> Finding:
    if event.position != position:
        return _log(min(position, event.position), f"expected position {position}, found {event.position}")
    if event.version != version:
        return _log(position, f"stream {event.stream}: expected version {version}, found {event.version}")
    return _log(position, "recorded before its predecessor")


def _log(position: int, message: str) -> Finding:
    return Finding("log", message, position)


def _chain(position: int, message: str) -> Finding:
    return Finding("chain", message, position)
