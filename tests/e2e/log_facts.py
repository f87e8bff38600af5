"""What the log says, read with plain SQL and JSON: the tests' own view, sharing no code with the product."""

import json
from typing import Any, NamedTuple

import psycopg


class Facts(NamedTuple):
    """settled: reservation -> nUSD taken; ends: reservation -> terminal tags; lowest_available: per stream, ever."""

    settled: dict[str, int]
    ends: dict[str, list[str]]
    reserved: set[str]
    lowest_available: dict[str, int]


ENDS = {"credit.settled.v1", "credit.released.v1", "credit.reservation_expired.v1"}


def read_facts(dsn: str) -> Facts:
    facts = Facts({}, {}, set(), {})
    available: dict[str, int] = {}
    held: dict[str, int] = {}
    with psycopg.connect(dsn) as connection:
        rows = connection.execute(
            "SELECT originator_id, topic, state FROM ledger.stored_events"
            " WHERE topic LIKE 'credit.%' ORDER BY notification_id"
        )
        for stream, tag, state in rows:
            event = json.loads(state)
            _apply(facts, available, held, stream, tag, event)
            facts.lowest_available[stream] = min(facts.lowest_available.get(stream, 0), available.get(stream, 0))
    return facts


def _apply(
    facts: Facts, available: dict[str, int], held: dict[str, int], stream: str, tag: str, event: dict[str, Any]
) -> None:
    reservation = event.get("reservation_id", "")
    if tag == "credit.granted.v1":
        available[stream] = available.get(stream, 0) + event["amount_nusd"]
    elif tag == "credit.lot_expired.v1":
        available[stream] -= event["amount_nusd"]
    elif tag == "credit.reserved.v1":
        facts.reserved.add(reservation)
        held[reservation] = event["amount_nusd"]
        available[stream] -= event["amount_nusd"]
    elif tag == "credit.reservation_extended.v1":
        held[reservation] += event["added_nusd"]
        available[stream] -= event["added_nusd"]
    elif tag in ENDS:
        taken = sum(amount for _, amount in event.get("burnt", []))
        available[stream] += held[reservation] - taken
        facts.ends.setdefault(reservation, []).append(tag)
        if tag == "credit.settled.v1":
            facts.settled[reservation] = facts.settled.get(reservation, 0) + taken
