"""What the log says, read with plain SQL and JSON: the tests' own view, sharing no code with the product."""

import json
from typing import Any, NamedTuple

import psycopg


class Facts(NamedTuple):
    """What became of every reservation.

    settled:           nUSD taken, by the reservation that the client was told of: a late settle reserves anew, and
                       counts for the one that it replaces.
    estimated:         of these, those whose usage the provider did not tell.
    ends:              reservation -> terminal tags.
    times:             reservation -> when it was opened and ended, on the database's clock; None while it is open.
    replaced:          expired reservation -> the one that a late settle made in its stead.
    lowest_available:  per stream, ever.
    """

    settled: dict[str, int]
    estimated: set[str]
    ends: dict[str, list[str]]
    times: dict[str, tuple[float, float | None]]
    replaced: dict[str, str]
    lowest_available: dict[str, int]

    @property
    def reserved(self) -> set[str]:
        return set(self.times)

    def open_throughout(self, from_s: float, to_s: float) -> int:
        """Reservations made before `from_s` that had not ended by `to_s`."""
        return sum(opened < from_s and (ended is None or ended > to_s) for opened, ended in self.times.values())


ENDS = {"credit.settled.v1", "credit.released.v1", "credit.reservation_expired.v1"}


def read_facts(dsn: str) -> Facts:
    fold = _Fold()
    with psycopg.connect(dsn) as connection:
        rows = connection.execute(
            "SELECT originator_id, topic, state, extract(epoch FROM recorded_at)::float8 FROM ledger.stored_events"
            " WHERE topic LIKE 'credit.%' ORDER BY notification_id"
        )
        for stream, tag, state, recorded_s in rows:
            fold.apply(stream, tag, json.loads(state), recorded_s)
    return fold.facts


class _Fold:
    def __init__(self) -> None:
        self.facts = Facts({}, set(), {}, {}, {}, {})
        self._available: dict[str, int] = {}
        self._held: dict[str, int] = {}
        self._told: dict[str, str] = {}  # the reservation that the client knows, of one that stands in for it

    def apply(self, stream: str, tag: str, event: dict[str, Any], recorded_s: float) -> None:
        if tag == "credit.granted.v2":
            self._change(stream, event["amount_nusd"])
        elif tag == "credit.lot_expired.v1":
            self._change(stream, -event["amount_nusd"])
        elif tag == "credit.reserved.v2":
            self._reserve(stream, event, recorded_s)
        elif tag == "credit.reservation_extended.v1":
            self._held[event["reservation_id"]] += event["added_nusd"]
            self._change(stream, -event["added_nusd"])
        elif tag in ENDS:
            self._end(stream, tag, event, recorded_s)

    def _change(self, stream: str, amount_nusd: int) -> None:
        self._available[stream] = self._available.get(stream, 0) + amount_nusd
        lowest = self.facts.lowest_available
        lowest[stream] = min(lowest.get(stream, 0), self._available[stream])

    def _reserve(self, stream: str, event: dict[str, Any], recorded_s: float) -> None:
        reservation, replaces = event["reservation_id"], event.get("replaces", "")
        self.facts.times[reservation] = recorded_s, None
        if replaces:
            self.facts.replaced[replaces] = reservation
            self._told[reservation] = replaces
        self._held[reservation] = event["amount_nusd"]
        self._change(stream, -event["amount_nusd"])

    def _end(self, stream: str, tag: str, event: dict[str, Any], recorded_s: float) -> None:
        reservation = event["reservation_id"]
        taken = sum(amount for _, amount in event.get("burnt", []))
        self._change(stream, self._held[reservation] - taken)
        facts = self.facts
        facts.ends.setdefault(reservation, []).append(tag)
        facts.times[reservation] = facts.times[reservation][0], recorded_s
        if tag == "credit.settled.v1":
            told = self._told.get(reservation, reservation)
            facts.settled[told] = facts.settled.get(told, 0) + taken
            if event["generation"].get("estimated"):
                facts.estimated.add(told)
