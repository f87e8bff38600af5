"""Each money event becomes postings that sum to zero.

A posting's amount flows into its book, or out of it if negative. Books:
  funding:<lot kind>                where credit comes from: cash for purchased lots, our own expense for the others
  customer:<account id>:available   what the customer may spend
  customer:<account id>:held        promised to open reservations
  revenue:usage                     earned
  breakage:<lot kind>               lapsed lots
  uncollected:served, :absorbed     usage beyond all credit: its worth, and below zero that it is not owed
  cost:<provider>, payable:<provider>   what providers bill us, and that we owe it
"""

from collections.abc import Callable, Sequence

from domain.credit import events as e
from domain.rules import Rules
from projections.engine.changes import (
    COUNT,
    CREDIT_PREFIX,
    TEXT,
    Change,
    Insert,
    Law,
    Logged,
    Projection,
    Table,
    burnt_nusd,
)

LEDGER_ENTRY = Table(
    "ledger_entry",
    {"position": COUNT, "line": COUNT, "book": TEXT, "amount_nusd": COUNT, "tag": TEXT, "correlation": TEXT},
    key=2,
    insert_only=True,
)
"""`line` counts the postings of an event, from 1. `amount_nusd` flows into the book, or out of it if
negative. `correlation` is the reservation (or the lot) that the event is about."""

Row = tuple[int, int, str, int, str, str]


def project(recorded: Logged) -> Sequence[Change]:
    event = recorded.event
    rule = _RULES[type(event)]
    if rule is None:
        return ()
    rows = rule(recorded.position, recorded.tag, "customer:" + recorded.stream[CREDIT_PREFIX:], event)
    return (Insert(LEDGER_ENTRY, rows),) if rows else ()


def _granted(position: int, tag: str, customer: str, event: e.Granted) -> Sequence[Row]:
    amount, lot_id = event.amount_nusd, event.lot_id
    return (
        (position, 1, f"funding:{event.kind}", -amount, tag, lot_id),
        (position, 2, customer + ":available", amount, tag, lot_id),
    )


def _reserved(position: int, tag: str, customer: str, event: e.Reserved) -> Sequence[Row]:
    return _moved(position, tag, customer, event.reservation_id, event.amount_nusd)


def _extended(position: int, tag: str, customer: str, event: e.ReservationExtended) -> Sequence[Row]:
    return _moved(position, tag, customer, event.reservation_id, event.added_nusd)


def _freed(position: int, tag: str, customer: str, event: e.Released | e.ReservationExpired) -> Sequence[Row]:
    return _moved(position, tag, customer, event.reservation_id, -event.reserved_nusd)


def _moved(position: int, tag: str, customer: str, reservation_id: str, to_held_nusd: int) -> Sequence[Row]:
    if not to_held_nusd:  # of a free model
        return ()
    return (
        (position, 1, customer + ":available", -to_held_nusd, tag, reservation_id),
        (position, 2, customer + ":held", to_held_nusd, tag, reservation_id),
    )


def _settled(position: int, tag: str, customer: str, event: e.Settled) -> Sequence[Row]:
    """The charge leaves the held amount and the rest is available again; any excess leaves available."""
    reserved, cost, about = event.reserved_nusd, burnt_nusd(event), event.reservation_id
    provider, provider_cost = event.generation.provider, event.generation.provider_cost_nusd
    rows = (
        (position, 1, customer + ":held", -reserved, tag, about),
        (position, 2, "revenue:usage", cost, tag, about),
        (position, 3, customer + ":available", reserved - cost, tag, about),
        (position, 4, "cost:" + provider, provider_cost, tag, about),
        (position, 5, "payable:" + provider, -provider_cost, tag, about),
    )
    if reserved and cost and reserved != cost and provider_cost:
        return rows
    return [row for row in rows if row[3]]  # no entry where nothing moved; its line number is left out


def _lot_expired(position: int, tag: str, customer: str, event: e.LotExpired) -> Sequence[Row]:
    amount, lot_id = event.amount_nusd, event.lot_id
    if not amount:  # all of it is held; what is freed later lapses by an event of its own
        return ()
    return (
        (position, 1, customer + ":available", -amount, tag, lot_id),
        (position, 2, f"breakage:{event.kind}", amount, tag, lot_id),
    )


def _shortfall(position: int, tag: str, _: str, event: e.ShortfallRecorded) -> Sequence[Row]:
    amount, about = event.amount_nusd, event.reservation_id
    return (
        (position, 1, "uncollected:served", amount, tag, about),
        (position, 2, "uncollected:absorbed", -amount, tag, about),
    )


_RULES: Rules[Callable[..., Sequence[Row]]] = Rules(
    ["credit"],
    handles={
        e.Granted: _granted,
        e.Reserved: _reserved,
        e.ReservationExtended: _extended,
        e.Settled: _settled,
        e.ShortfallRecorded: _shortfall,
        e.Released: _freed,
        e.ReservationExpired: _freed,
        e.LotExpired: _lot_expired,
    },
    ignores=[e.AttemptRecorded, e.ShortfallPaid, e.WorkUnpaid],
)

BALANCED = Law(
    "the trial balance is zero",
    """
    SELECT position, 'sum ' || sum(amount_nusd)::text FROM read.ledger_entry_{build}
     WHERE (SELECT sum(amount_nusd) FROM read.ledger_entry_{build}) <> 0
     GROUP BY position HAVING sum(amount_nusd) <> 0 ORDER BY position LIMIT 1
    """,
)

PROJECTION = Projection(
    "ledger_entries",
    version=1,
    tables=(LEDGER_ENTRY,),
    project=project,
    rules=_RULES,
    package=__package__,
    laws=(BALANCED,),
)
