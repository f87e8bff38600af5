"""A long, honest log made fast: told by the real deciders, chained by the rule of the proofs, stored by COPY.

A million events a minute; through the ledger it would be ten times that. `verify` itself says whether the log is right.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby, islice
from typing import Any
from uuid import uuid4

import psycopg

from domain.aggregates import CODEC
from domain.log import RecordedEvent
from domain.proof.chain import GENESIS_CHAIN, StoredEvent, block_chain, block_digest, event_digest
from tests.projections.story import steady_story

EVENTS_PER_BLOCK = 64
"""What a group commit holds under load."""

EVENTS_PER_COPY = 20_000
EVENTS_PER_ACCOUNT = 3
"""It is opened, gets a key and a grant."""

POSTGRES_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

COPY_EVENTS = """
COPY ledger.stored_events (notification_id, originator_id, originator_version, topic, state, recorded_at, command_id,
                           correlation_id) FROM STDIN (FORMAT BINARY)
"""
EVENT_TYPES = ("int8", "text", "int8", "text", "bytea", "timestamptz", "uuid", "uuid")
COPY_COMMANDS = """
COPY ledger.commands (command_id, input_hash, submission, first_position, last_position) FROM STDIN (FORMAT BINARY)
"""
COMMAND_TYPES = ("uuid", "bytea", "uuid", "int8", "int8")
COPY_BLOCKS = "COPY ledger.blocks (first_position, last_position, digest, chain) FROM STDIN (FORMAT BINARY)"
BLOCK_TYPES = ("int8", "int8", "bytea", "bytea")

Rows = list[tuple[Any, ...]]


def make_log(owner: str, events: int, accounts: int) -> int:
    """Fill an empty ledger with about `events` events of `accounts` accounts; owner: conninfo. Returns how many."""
    story = steady_story(accounts, (events - EVENTS_PER_ACCOUNT * accounts) // 2)
    chain, position, started_at = GENESIS_CHAIN, 0, datetime.now(UTC) - timedelta(hours=1)
    with psycopg.connect(owner) as connection:
        while told := list(islice(story, EVENTS_PER_COPY)):
            events_, blocks = [], []
            for block in _blocks(told):
                recorded_at = started_at + block[0].position * timedelta(microseconds=100)
                events_ += [_row(recorded, recorded_at) for recorded in block]
                blocks.append(_chained(chain, block, recorded_at))
                chain, position = blocks[-1][3], block[-1].position
            _copy(connection, COPY_EVENTS, EVENT_TYPES, events_)
            _copy(connection, COPY_COMMANDS, COMMAND_TYPES, _commands(told))
            _copy(connection, COPY_BLOCKS, BLOCK_TYPES, blocks)
        connection.execute(
            "UPDATE ledger.head SET position = %s, chain = %s, recorded_at = %s", [position, chain, recorded_at]
        )
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute("VACUUM (ANALYZE, FREEZE)")  # as autovacuum would have done while it grew
    return position


def _blocks(events: Sequence[RecordedEvent]) -> Iterator[Sequence[RecordedEvent]]:
    """No command is ever cut: here each has one event."""
    for first in range(0, len(events), EVENTS_PER_BLOCK):
        yield events[first : first + EVENTS_PER_BLOCK]


def _row(e: RecordedEvent, recorded_at: datetime) -> tuple[Any, ...]:
    return e.position, e.stream, e.version, e.tag, CODEC.encode(e.event), recorded_at, e.command_id, e.correlation_id


def _chained(previous: bytes, block: Sequence[RecordedEvent], recorded_at: datetime) -> tuple[int, int, bytes, bytes]:
    sent_at = ((recorded_at - POSTGRES_EPOCH) // MICROSECOND).to_bytes(8, "big")
    digest = block_digest([_digest(recorded, sent_at) for recorded in block])
    first, last = block[0].position, block[-1].position
    return first, last, digest, block_chain(previous, first, last, digest)


def _digest(e: RecordedEvent, recorded_at: bytes) -> bytes:
    correlation = e.correlation_id.bytes if e.correlation_id else None
    state = CODEC.encode(e.event)
    return event_digest(
        StoredEvent(e.position, e.stream, e.version, e.tag, state, recorded_at, e.command_id.bytes, correlation)
    )


def _commands(events: Iterable[RecordedEvent]) -> Rows:
    rows: Rows = []
    for command_id, group in groupby(events, key=lambda event: event.command_id):
        positions = [event.position for event in group]
        rows.append((command_id, b"", uuid4(), positions[0], positions[-1]))
    return rows


def _copy(connection: psycopg.Connection[Any], statement: str, types: Sequence[str], rows: Rows) -> None:
    with connection.cursor() as cursor, cursor.copy(statement.encode()) as copy:
        copy.set_types(types)
        for row in rows:
            copy.write_row(row)
