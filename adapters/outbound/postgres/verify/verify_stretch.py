"""Verifies one stretch of the log by itself: its chain, and the rows that follow from one event each."""

from collections.abc import Container
from typing import Any, NamedTuple

import psycopg

from adapters.outbound.postgres.verify.cut_log import LONGEST, STRETCH, Stretch
from adapters.outbound.postgres.verify.pin_snapshot import FETCH
from adapters.outbound.postgres.verify.read_state import read_claims, read_head
from adapters.outbound.postgres.verify.verify_inserted_rows import InsertedRowsCheck
from adapters.outbound.postgres.wire.read_log import as_entries
from domain.proof.chain import Block
from domain.proof.finding import Finding
from domain.proof.links import StretchWalk

EVENTS = """
SELECT notification_id, originator_id, originator_version, topic, state,
       timestamptz_send(recorded_at), uuid_send(command_id), uuid_send(correlation_id)
  FROM ledger.stored_events {} ORDER BY notification_id LIMIT %s
"""
BLOCKS = "SELECT first_position, last_position, digest, chain FROM ledger.blocks {} ORDER BY first_position LIMIT %s"

MOST = STRETCH + LONGEST + 1
"""Rows to read: a stretch with one more event or block than it can have is broken, and that one more shows it."""


class StretchProof(NamedTuple):
    """Whether order and chain are whole, and the first finding for each place in the read models."""

    is_unbroken: bool
    found: dict[str, Finding]


def verify_stretch(connection: psycopg.Connection, stretch: Stretch, names: Container[str]) -> StretchProof:
    """connection: pinned; names: of the read models with insert-only tables."""
    checks = [InsertedRowsCheck(connection, claim, stretch) for claim in read_claims(connection, names)]
    walk = StretchWalk(map(Block._make, _read(connection, BLOCKS, "first_position", stretch)), stretch.after)
    events = _read(connection, EVENTS, "notification_id", stretch)
    while rows := events.fetchmany(FETCH):
        walk.walk(rows)
        entries = as_entries(rows)
        for check in checks:
            check.walk(entries)
    head = read_head(connection) if stretch.upto is None else None
    is_unbroken = walk.is_at(stretch.upto) if head is None else walk.is_at_head(head)
    return StretchProof(is_unbroken, {place: found for check in checks for place, found in check.end().items()})


def _read(connection: psycopg.Connection, query: str, position: str, stretch: Stretch) -> psycopg.Cursor[Any]:
    return connection.execute(query.format(stretch.where(position)).encode(), [MOST], binary=True)
