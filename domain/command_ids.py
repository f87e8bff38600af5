"""Ids of commands, derived from their subject, so that a repeated step has the same command id (P5)."""

import hashlib
from uuid import UUID


def step_id(subject: UUID, step: str) -> UUID:
    """The command id of one step ("reserve", "settle", ...) for `subject`.

    Keeps the first half of the subject: ids of UUIDv7 subjects stay in time order, which is cheap for their index.
    """
    digest = hashlib.blake2b(subject.bytes + step.encode(), digest_size=8).digest()
    return UUID(bytes=subject.bytes[:8] + digest)


def named_id(*parts: str) -> UUID:
    """A stable id for a tuple of names. Parts are length-prefixed, so ("ab", "c") and ("a", "bc") differ."""
    hasher = hashlib.blake2b(digest_size=16)
    for part in parts:
        data = part.encode()
        hasher.update(len(data).to_bytes(4, "big") + data)
    return UUID(bytes=hasher.digest())
