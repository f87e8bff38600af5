"""Put told events into a real log the way the ledger does: one call of ledger.append per batch of commands."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any
from uuid import UUID, uuid4

import psycopg

from adapters.outbound.postgres.append_batch import APPEND, NewEvent, Submission, parameters
from domain.aggregates import CODEC
from domain.log import RecordedEvent


def append_events(info: str, events: Iterable[RecordedEvent], commands_per_block: int = 3) -> None:
    """Store `events` as they are, but for `recorded_at`; info: of the writer."""
    with psycopg.connect(info, autocommit=True) as connection:
        connection.prepare_threshold = 0
        for batch in _batches(events, commands_per_block):
            append_batch(connection, batch)


def append_batch(connection: psycopg.Connection[Any], batch: Sequence[Submission]) -> None:
    row = connection.execute(APPEND, parameters(batch), binary=True).fetchone()
    assert row is not None and row[0] == "recorded", row


def append_raw(info: str, stream: str, version: int, tag: str, state: bytes) -> None:
    """Store something that no decider would decide."""
    with psycopg.connect(info, autocommit=True) as connection:
        append_batch(
            connection, [Submission(uuid4(), uuid4(), b"", stream, version - 1, [NewEvent(version, tag, state)])]
        )


def _batches(events: Iterable[RecordedEvent], size: int) -> Iterator[list[Submission]]:
    expected: dict[str, int] = {}
    batch: list[Submission] = []
    for command_id, group in groupby(events, key=lambda event: event.command_id):
        batch.append(_submission(command_id, list(group), expected))
        if len(batch) >= size:
            yield batch
            batch, expected = [], {}
    if batch:
        yield batch


def _submission(command_id: UUID, events: Sequence[RecordedEvent], expected: dict[str, int]) -> Submission:
    """In one batch, all submissions of a stream expect the version it had before the batch."""
    first = events[0]
    base = expected.setdefault(first.stream, first.version - 1)
    new = [NewEvent(event.version, event.tag, CODEC.encode(event.event)) for event in events]
    return Submission(command_id, uuid4(), b"input hash", first.stream, base, new, correlation_id=first.correlation_id)
