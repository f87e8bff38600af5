"""Reads the log in order, page by page: never past the head, never over a gap (P4)."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
import psycopg
from psycopg.rows import TupleRow

from domain.aggregates import CODEC
from domain.event import Event, UnknownTag
from projections.engine.sequence import account_of

READ_PAGE = b"""
SELECT h.position, e.*
  FROM ledger.head h
  LEFT JOIN LATERAL (
       SELECT notification_id, originator_id, originator_version, topic, state, recorded_at
         FROM ledger.stored_events
        WHERE notification_id > %(after)s AND notification_id <= least(h.position, %(upto)s)
        ORDER BY notification_id) e ON true
"""


class LogDamaged(Exception):
    """The log breaks its promise to readers; `position` is the first place where that shows."""

    def __init__(self, position: int, message: str) -> None:
        super().__init__(message)
        self.position = position


class LogGap(LogDamaged):
    """A page does not start right after the reader's position, or has a hole."""


class LogTruncated(LogDamaged):
    """The head is before a position that a reader has already read."""


class LoggedEvent(msgspec.Struct, frozen=True, gc=False):
    """An event as projections see it (projections.engine.changes.Logged)."""

    position: int
    stream: str
    version: int
    tag: str
    event: Event


class Undecodable(msgspec.Struct, frozen=True):
    """An event that this build cannot read: unknown tag, or a state of another shape."""

    position: int
    stream: str
    version: int
    tag: str
    state: bytes
    error: Exception

    @property
    def column(self) -> str:
        """Name of the column that cannot be read."""
        return "topic" if isinstance(self.error, UnknownTag) else "state"


LogEntry = LoggedEvent | Undecodable


class LogPage(msgspec.Struct, frozen=True):
    """Consecutive events right after the reader's position, empty at the head, and when each was recorded."""

    events: Sequence[LogEntry]
    recorded_at: Sequence[datetime]


def read_page(connection: psycopg.Connection, after: int, limit: int) -> LogPage:
    """Read at most `limit` events right after position `after`.

    Raises: LogTruncated if the head is before `after`; LogGap if positions are not consecutive.
    """
    cursor = connection.execute(READ_PAGE, {"after": after, "upto": after + limit}, binary=True)
    rows = cursor.fetchall()
    head: int = rows[0][0]
    if head < after:
        raise LogTruncated(head + 1, f"the log ends at {head}, but {after} was read before")
    if rows[0][1] is None:
        rows = []
    check_dense(after, [row[1] for row in rows], min(head, after + limit))
    return LogPage(as_entries([row[1:6] for row in rows]), [row[6] for row in rows])


def check_dense(after: int, positions: Sequence[int], upto: int) -> None:
    """Raises LogGap unless `positions` are exactly after + 1 ... upto."""
    if len(positions) == upto - after and all(map(int.__eq__, positions, range(after + 1, upto + 1))):
        return
    found = set(positions)
    missing = next((p for p in range(after + 1, upto + 1) if p not in found), after + 1)
    raise LogGap(missing, f"the log has no event at position {missing}, right after {missing - 1}, or not just one")


def as_entries(rows: Sequence[TupleRow]) -> list[LogEntry]:
    """Rows of the log (position, stream, version, tag, state, ...), decoded where possible."""
    if not rows:
        return []
    positions, streams, versions, tags, states, *_ = zip(*rows, strict=True)
    read = CODEC.readers
    try:
        events = [read[tag](state) for tag, state in zip(tags, states, strict=True)]
    except Exception:  # noqa: BLE001 - decoding one by one finds the unreadable ones
        return [_as_entry(*row[:5]) for row in rows]
    return list(map(LoggedEvent, positions, streams, versions, tags, events))


def _as_entry(position: int, stream: str, version: int, tag: str, state: bytes) -> LogEntry:
    try:
        return LoggedEvent(position, stream, version, tag, CODEC.decode(tag, state))
    except Exception as error:  # noqa: BLE001 - stored bytes may be anything: text without an encoding, times without a zone
        return Undecodable(position, stream, version, tag, bytes(state), error)


def account_of_entry(entry: LogEntry) -> str:
    """The account that the event changes (projections.engine.sequence)."""
    return account_of(entry.stream, entry.state if isinstance(entry, Undecodable) else entry.event)
