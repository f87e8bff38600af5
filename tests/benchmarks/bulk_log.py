"""A long, honest log made fast: told by the real deciders, chained by the rule of the proofs, stored by COPY.

A million events take a minute or two, through the ledger ten. `verify` itself says whether the log is right.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby, islice
from typing import Any, NamedTuple
from uuid import uuid4

import psycopg

from domain.aggregates import CODEC
from domain.log import RecordedEvent
from domain.proof.chain import GENESIS_CHAIN, Block, StoredEvent, block_chain, block_digest, event_digest
from tests.projections.story import steady_story

EVENTS_PER_BLOCK = 64
"""What a group commit holds under load."""

EVENTS_PER_COPY = 20_000
EVENTS_PER_ACCOUNT = 3
"""It is opened, gets a key and a grant."""

POSTGRES_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
PER_EVENT = timedelta(microseconds=100)

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
    with psycopg.connect(owner) as connection:
        head = _Head(0, GENESIS_CHAIN, datetime.now(UTC) - timedelta(hours=1))
        while told := list(islice(story, EVENTS_PER_COPY)):
            head = _store(connection, told, head)
        connection.execute("UPDATE ledger.head SET position = %s, chain = %s, recorded_at = %s", head)
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute("VACUUM (ANALYZE, FREEZE)")  # as autovacuum would have done while it grew
    return head.position


class _Head(NamedTuple):
    position: int
    chain: bytes
    recorded_at: datetime


def _store(connection: psycopg.Connection[Any], told: Sequence[RecordedEvent], head: _Head) -> _Head:
    events, blocks = [], []
    for first in range(0, len(told), EVENTS_PER_BLOCK):  # no command is cut: here each has one event
        recorded_at = head.recorded_at + EVENTS_PER_BLOCK * PER_EVENT
        rows = [_row(recorded, recorded_at) for recorded in told[first : first + EVENTS_PER_BLOCK]]
        block = _block(head, rows, recorded_at)
        events += rows
        blocks.append(block)
        head = _Head(block.last_position, block.chain, recorded_at)
    _copy(connection, COPY_EVENTS, EVENT_TYPES, events)
    _copy(connection, COPY_COMMANDS, COMMAND_TYPES, _commands(told))
    _copy(connection, COPY_BLOCKS, BLOCK_TYPES, blocks)
    return head


def _row(e: RecordedEvent, recorded_at: datetime) -> tuple[Any, ...]:
    return e.position, e.stream, e.version, e.tag, CODEC.encode(e.event), recorded_at, e.command_id, e.correlation_id


def _block(head: _Head, rows: Rows, recorded_at: datetime) -> Block:
    sent_at = ((recorded_at - POSTGRES_EPOCH) // MICROSECOND).to_bytes(8, "big")
    digest = block_digest([_digest(row, sent_at) for row in rows])
    first, last = rows[0][0], rows[-1][0]
    return Block(first, last, digest, block_chain(head.chain, first, last, digest))


def _digest(row: tuple[Any, ...], recorded_at: bytes) -> bytes:
    position, stream, version, tag, state, _, command_id, correlation_id = row
    correlation = correlation_id.bytes if correlation_id else None
    return event_digest(StoredEvent(position, stream, version, tag, state, recorded_at, command_id.bytes, correlation))


def _commands(events: Iterable[RecordedEvent]) -> Rows:
    rows: Rows = []
    for command_id, group in groupby(events, key=lambda event: event.command_id):
        positions = [event.position for event in group]
        rows.append((command_id, b"", uuid4(), positions[0], positions[-1]))
    return rows


def _copy(
    connection: psycopg.Connection[Any], statement: str, types: Sequence[str], rows: Iterable[tuple[Any, ...]]
) -> None:
    with connection.cursor() as cursor, cursor.copy(statement.encode()) as copy:
        copy.set_types(types)
        for row in rows:
            copy.write_row(row)
