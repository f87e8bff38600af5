"""Put told events into a real log the way the ledger does: one call of ledger.append per batch of commands."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any
from uuid import UUID, uuid4

import psycopg

from adapters.outbound.postgres.append.append_batch import APPEND, NewEvent, Submission, parameters
from adapters.outbound.postgres.wire.wake_up import NOTIFY
from domain.account.events import Opened
from domain.aggregates import CODEC, owner_of
from domain.api_key.events import Issued, Revoked, Rotated
from domain.claim import Claim
from domain.log import RecordedEvent


def append_events(info: str, events: Iterable[RecordedEvent], commands_per_block: int = 3) -> None:
    """Store `events` as they are, but for `recorded_at`; info: of the writer."""
    with psycopg.connect(info, autocommit=True) as connection:
        connection.prepare_threshold = 0
        for batch in _batches(events, commands_per_block):
            append_batch(connection, batch)
            for submission in batch:
                _put_data_key(connection, submission)


def append_batch(connection: psycopg.Connection[Any], batch: Sequence[Submission]) -> None:
    row = connection.execute(APPEND, parameters(batch), binary=True).fetchone()
    assert row is not None and row[0] == "recorded", row
    connection.execute(NOTIFY.encode())


def append_raw(info: str, stream: str, version: int, tag: str, state: bytes) -> None:
    """Store something that no decider would decide."""
    with psycopg.connect(info, autocommit=True) as connection:
        append_batch(
            connection, [Submission(uuid4(), uuid4().bytes, b"", stream, version - 1, [NewEvent(version, tag, state)])]
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
    claims = [claim for event in events for claim in claims_of(event)]
    releases = [label_of(event.stream) for event in events if isinstance(event.event, Revoked)]
    return Submission(
        command_id,
        uuid4().bytes,
        b"input hash",
        first.stream,
        base,
        new,
        correlation_id=first.correlation_id,
        claims=claims,
        releases=releases,
    )


def claims_of(recorded: RecordedEvent) -> list[Claim]:
    """What the use case that brought the event would have claimed."""
    match recorded.event:
        case Opened():
            return [Claim(kind, f"{kind} of {recorded.stream}".encode()) for kind in ("username", "email")]
        case Issued():
            return [label_of(recorded.stream), Claim("key_secret", recorded.event.secret.hash)]
        case Rotated():
            return [Claim("key_secret", recorded.event.secret.hash)]
    return []


def label_of(stream: str) -> Claim:
    return Claim("key_label", f"label of {stream}".encode())


def _put_data_key(connection: psycopg.Connection[Any], submission: Submission) -> None:
    if submission.stream.startswith("account-"):
        connection.execute("SELECT ledger.put_data_key(%s, %s)", [owner_of(submission.stream), b"wrapped"])
