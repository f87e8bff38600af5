"""Cuts the log into stretches that can be proven in parallel: each ends with a block."""

from collections.abc import Iterator
from typing import NamedTuple

import psycopg

from domain.proof.links import GENESIS, Link

STRETCH = 8_000
"""Events, plus the rest of the last block: some 60 MB with all rows, and enough work for one task."""

LONGEST = 2 * STRETCH
"""No append writes so many events at once. A block that claims more is false and must not fill the memory."""

LAST_BLOCK = b"""
SELECT b.last_position, b.chain, timestamptz_send(e.recorded_at)
  FROM ledger.blocks b JOIN ledger.stored_events e ON e.notification_id = b.last_position
 WHERE b.first_position = (SELECT max(first_position) FROM ledger.blocks WHERE first_position <= %s)
 LIMIT 1
"""


class Stretch(NamedTuple):
    """The events after `after.position` up to `upto`. The first stretch includes positions before the log's
    beginning; the last one, without `upto`, those beyond its end."""

    after: Link
    upto: int | None

    def where(self, position: str) -> str:
        """The stretch as an SQL condition on column `position`."""
        bounds = [f"{position} > {self.after.position}"] if self.after.position else []
        bounds += [f"{position} <= {self.upto}"] if self.upto is not None else []
        return f" WHERE {' AND '.join(bounds)}" if bounds else ""


def cut_log(connection: psycopg.Connection, head: int, length: int = STRETCH) -> Iterator[Stretch]:
    """Stretches of about `length` events that together are the whole log, in order. At least one."""
    after = GENESIS
    while after.position + length < head:
        wanted = after.position + length
        row = connection.execute(LAST_BLOCK, [wanted], binary=True).fetchone()
        end = Link(*row) if row else None
        if end is None or not wanted <= end.position < min(head, wanted + LONGEST):
            break  # from here on blocks are damaged, or this is the last one: the rest is one stretch
        yield Stretch(after, end.position)
        after = end
    yield Stretch(after, None)
