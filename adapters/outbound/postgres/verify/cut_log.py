"""Cutting the log into stretches that can be proven side by side: each ends with a block."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import psycopg

from domain.proof.links import GENESIS, Link

STRETCH = 8_000
"""Events, and those that the last block has more: some 60 MB with all their rows, and enough to be worth a task."""

LONGEST = 2 * STRETCH
"""No append writes that many events at once. A block that says it did is false, and must not fill the memory."""

LAST_BLOCK = b"""
SELECT b.last_position, b.chain, timestamptz_send(e.recorded_at)
  FROM ledger.blocks b JOIN ledger.stored_events e ON e.notification_id = b.last_position
 WHERE b.first_position = (SELECT max(first_position) FROM ledger.blocks WHERE first_position <= %s)
 LIMIT 1
"""


class Stretch(NamedTuple):
    """The events after `after.position` up to `upto`. The first one takes in whatever claims to be from before the log
    began; the last one, without `upto`, whatever is beyond its end."""

    after: Link
    upto: int | None

    def where(self, position: str) -> str:
        """The same for a column, as an SQL condition."""
        bounds = [f"{position} > {self.after.position}"] if self.after.position else []
        bounds += [f"{position} <= {self.upto}"] if self.upto is not None else []
        return f" WHERE {' AND '.join(bounds)}" if bounds else ""


def cut_log(connection: psycopg.Connection[Any], head: int, length: int = STRETCH) -> Iterator[Stretch]:
    """Stretches of about `length` events that together are the whole log, in order. At least one."""
    after = GENESIS
    while after.position + length < head:
        wanted = after.position + length
        row = connection.execute(LAST_BLOCK, [wanted], binary=True).fetchone()
        end = Link(*row) if row else None
        if end is None or not wanted <= end.position < min(head, wanted + LONGEST):
            break  # the blocks are damaged from here on, or it is the last one: what is left is one stretch
        yield Stretch(after, end.position)
        after = end
    yield Stretch(after, None)
