"""An independent check of the log's hash chain and density, for tests; shares no code with the product."""

import hashlib
import struct

from tests.rigs.databases import Database


def broken_chain(database: Database) -> int | None:
    """First position at which positions, blocks or chain do not fit; None if the whole log is sound."""
    blocks = database.sql("SELECT first_position, last_position, digest, chain FROM ledger.blocks ORDER BY 1")
    events = database.sql(
        "SELECT notification_id, originator_version, extract(epoch FROM recorded_at - '2000-01-01+00') * 1000000,"
        " command_id, correlation_id, originator_id, topic, state FROM ledger.stored_events ORDER BY 1"
    )
    chain = bytes(32)
    expected = 1
    rows = iter(events)
    for first, last, digest, stored_chain in blocks:
        if first != expected:
            return expected
        digests = []
        for position in range(first, last + 1):
            row = next(rows, None)
            if row is None or row[0] != position:
                return position
            digests.append(_digest(*row))
        if hashlib.sha256(b"".join(digests)).digest() != digest:
            return first
        chain = hashlib.sha256(chain + struct.pack(">qq", first, last) + digest).digest()
        if chain != stored_chain:
            return first
        expected = last + 1
    if next(rows, None) is not None:
        return expected
    ((position, head_chain),) = database.sql("SELECT position, chain FROM ledger.head")
    return None if (position, head_chain) == (expected - 1, chain) else expected


def _digest(position, version, micros, command_id, correlation_id, stream, topic, state) -> bytes:  # type: ignore[no-untyped-def]
    correlation = correlation_id.bytes if correlation_id else b""
    parts = struct.pack(">qqq", position, version, int(micros)) + command_id.bytes
    for part in (correlation, stream.encode(), topic.encode(), state):
        parts += struct.pack(">i", len(part)) + part
    return hashlib.sha256(parts).digest()
