"""An event with its place in the log, as projections, replays and proofs read it."""

from datetime import datetime
from uuid import UUID

import msgspec

from domain.event import Event


class RecordedEvent(msgspec.Struct, frozen=True):
    """One event of the log.

    position:     dense from 1 over the whole log; order of positions is order of commits.
    version:      dense from 1 in its stream.
    recorded_at:  set by the database under the head's lock; never decreases with position.
    """

    position: int
    stream: str
    version: int
    tag: str
    event: Event
    recorded_at: datetime
    command_id: UUID
    correlation_id: UUID | None = None


LOG_ID = 0
"""The only log so far; outside the process a position is the string `<log>-<position>`
(docs/reference/rules.md#reading-what-was-written)."""


def format_position(position: int) -> str:
    return f"{LOG_ID}-{position}"


def parse_position(text: str) -> int | None:
    """The position in "0-1234", or None if it is not one of this log."""
    log, dash, position = text.partition("-")
    if dash and log == str(LOG_ID) and position.isascii() and position.isdigit() and len(position) < 19:
        return int(position)
    return None
