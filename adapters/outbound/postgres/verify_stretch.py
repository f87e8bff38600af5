"""Verifying a stretch of the log by itself: its chain, and the rows that follow from one event each."""

from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import psycopg

from adapters.outbound.postgres.cut_log import LONGEST, STRETCH, Stretch
from adapters.outbound.postgres.read_log import as_entries
from adapters.outbound.postgres.read_standing import read_claims, read_head
from adapters.outbound.postgres.verify_read_models import ReadModelCheck
from domain.proof.chain import Block, StoredEvent
from domain.proof.finding import Finding
from domain.proof.links import is_ended, is_unbroken

EVENTS = """
SELECT notification_id, originator_id, originator_version, topic, state,
       timestamptz_send(recorded_at), uuid_send(command_id), uuid_send(correlation_id)
  FROM ledger.stored_events {} ORDER BY notification_id LIMIT %s
"""
BLOCKS = "SELECT first_position, last_position, digest, chain FROM ledger.blocks {} ORDER BY first_position LIMIT %s"

MOST = STRETCH + LONGEST + 1
"""No stretch has more rows; one that seems to is broken, and seen to be by one more than there can be."""


class StretchProof(NamedTuple):
    """Whether order and chain are whole, and the first finding for each place in the read models."""

    is_unbroken: bool
    found: dict[str, Finding]


def verify_stretch(connection: psycopg.Connection[Any], stretch: Stretch, names: Sequence[str]) -> StretchProof:
    """connection: pinned; names: of the read models whose tables are all insert-only."""
    after, upto = stretch
    events = cast(Sequence[StoredEvent], _rows(connection, EVENTS, "notification_id", stretch))
    blocks = [Block._make(row) for row in _rows(connection, BLOCKS, "first_position", stretch)]
    whole = is_unbroken(events, blocks, after)
    if whole and upto is None:
        whole = is_ended(events, blocks, after, read_head(connection))
    elif whole:
        whole = after.position + len(events) == upto
    entries, found = as_entries(events), {}
    for claim in read_claims(connection, names):
        check = ReadModelCheck(connection, claim)
        check.walk(entries)
        check.compare_inserted(after.position, upto)
        found.update(check.found)
    return StretchProof(whole, found)


def _rows(connection: psycopg.Connection[Any], query: str, position: str, stretch: Stretch) -> list[Any]:
    bounds = [f"{position} > {stretch.after.position}"] if stretch.after.position else []
    bounds += [f"{position} <= {stretch.upto}"] if stretch.upto is not None else []
    where = f"WHERE {' AND '.join(bounds)}" if bounds else ""
    return connection.execute(query.format(where).encode(), [MOST], binary=True).fetchall()
