"""Names the damage of a log: one walk over all of it in order, after a check has found that it is broken."""

import psycopg

from adapters.outbound.postgres.verify.pin_snapshot import rows_of, stream
from adapters.outbound.postgres.verify.read_state import read_head
from domain.proof.chain import Block, ChainWalk
from domain.proof.finding import Finding

BLOCKS = b"SELECT first_position, last_position, digest, chain FROM ledger.blocks ORDER BY first_position"
WHOLE_EVENTS = b"""
SELECT notification_id, originator_id, originator_version, topic, state,
       timestamptz_send(recorded_at), uuid_send(command_id), uuid_send(correlation_id)
  FROM ledger.stored_events ORDER BY notification_id
"""


def name_damage(connection: psycopg.Connection) -> Finding | None:
    """The first fault in order and chain, None if there is none; connection: pinned."""
    walk = ChainWalk(map(Block._make, rows_of(connection, BLOCKS)))
    for events in stream(connection, WHOLE_EVENTS):
        fault = walk.walk(events)
        if fault is not None:
            return fault
    return walk.end(read_head(connection))
