"""Credit events become running totals per account, what is left of each lot, and the holds of open reservations."""

from collections.abc import Callable, Sequence

from domain.credit import events as e
from domain.credit.lot import Part
from domain.rules import Rules
from projections.engine.changes import (
    BYTES,
    COUNT,
    CREDIT_PREFIX,
    FLAG,
    OPTIONAL_TIME,
    TEXT,
    Add,
    Change,
    Delete,
    Index,
    Logged,
    Projection,
    Put,
    Table,
    burnt_nusd,
    stored_text,
)

CREDIT_ACCOUNT = Table(
    "credit_account",
    {
        "account_id": TEXT,
        "granted_nusd": COUNT,
        "settled_nusd": COUNT,
        "expired_nusd": COUNT,
        "posted_nusd": COUNT,  # granted - settled - expired
        "held_nusd": COUNT,  # by open reservations
        "shortfall_nusd": COUNT,  # served beyond all credit
        "owed_nusd": COUNT,  # of it, what the next purchased grant pays
        "unpaid_work_nusd": COUNT,  # presumed charges of providers that were not paid; not owed
        "open_reservations": COUNT,
        "position": COUNT,
    },
    fillfactor=70,
)
"""Every page of the log updates the rows of busy accounts: the fill factor leaves room for them where they are."""

CREDIT_LOT = Table(
    "credit_lot",
    {
        "account_id": TEXT,
        "lot_id": TEXT,
        "kind": TEXT,
        "priority": COUNT,
        "granted_nusd": COUNT,
        "burnt_nusd": COUNT,
        "expired_nusd": COUNT,
        "is_taken_back": FLAG,
        "granted_at": OPTIONAL_TIME,
        "expires_at": OPTIONAL_TIME,
        "source": TEXT,
        "reason": BYTES,  # sealed under the account's data key
        "position": COUNT,  # of the grant
    },
    key=2,
    indexes=(
        Index(
            "due",
            "expires_at",
            where="NOT is_taken_back AND expires_at IS NOT NULL AND granted_nusd > burnt_nusd + expired_nusd",
        ),
    ),
    fillfactor=70,
)
"""The expiry loop reads its index. Burnt-out lots leave the index, so it holds only lots that can still lapse."""

OPEN_HOLD = Table(
    "open_hold",
    {
        "account_id": TEXT,
        "reservation_id": TEXT,
        "lot_id": TEXT,  # '' if the reservation holds nothing
        "key_id": TEXT,
        "amount_nusd": COUNT,
        "reserved_at": OPTIONAL_TIME,  # null on lots that only an extension holds
        "expires_at": OPTIONAL_TIME,
        "position": COUNT,
    },
    key=3,
    deletes_by=2,
    indexes=(Index("due", "expires_at"),),
)
"""The holds of open reservations by lot; an ending event names no lots, so it deletes by reservation.

A reservation that holds nothing (a free model) has one row with lot '' and amount 0: it too must end (P3).
"""

NO_LOT = (Part("", 0),)


def project(recorded: Logged) -> Sequence[Change]:
    rule = _RULES[type(recorded.event)]
    if rule is None:
        return ()
    return rule(recorded.position, recorded.stream[CREDIT_PREFIX:], recorded.event)


def _granted(position: int, account_id: str, event: e.Granted) -> Sequence[Change]:
    lot = {
        "kind": event.kind,
        "priority": event.priority,
        "granted_nusd": event.amount_nusd,
        "granted_at": event.at,
        "expires_at": event.expires_at,
        "source": stored_text(event.source),
        "reason": event.reason,
        "position": position,
    }
    totals = {"granted_nusd": event.amount_nusd, "posted_nusd": event.amount_nusd}
    return Add(CREDIT_ACCOUNT, (account_id,), totals, position), Put(CREDIT_LOT, (account_id, event.lot_id), lot)


def _reserved(position: int, account_id: str, event: e.Reserved) -> Sequence[Change]:
    totals = {"held_nusd": event.amount_nusd, "open_reservations": 1}
    changes: list[Change] = [Add(CREDIT_ACCOUNT, (account_id,), totals, position)]
    for part in event.holds or NO_LOT:
        hold = {
            "key_id": event.key_id,
            "amount_nusd": part.amount_nusd,
            "reserved_at": event.at,
            "expires_at": event.expires_at,
            "position": position,
        }
        changes.append(Put(OPEN_HOLD, (account_id, event.reservation_id, part.lot_id), hold))
    return changes


def _extended(position: int, account_id: str, event: e.ReservationExtended) -> Sequence[Change]:
    return [
        Add(CREDIT_ACCOUNT, (account_id,), {"held_nusd": event.added_nusd}, position),
        *(
            Add(OPEN_HOLD, (account_id, event.reservation_id, part.lot_id), {"amount_nusd": part.amount_nusd})
            for part in event.holds
        ),
    ]


def _settled(position: int, account_id: str, event: e.Settled) -> Sequence[Change]:
    cost = burnt_nusd(event)
    totals = {
        "settled_nusd": cost,
        "posted_nusd": -cost,
        "held_nusd": -event.reserved_nusd,
        "open_reservations": -1,
    }
    changes: list[Change] = [
        Add(CREDIT_ACCOUNT, (account_id,), totals, position),
        Delete(OPEN_HOLD, (account_id, event.reservation_id)),
    ]
    for part in event.burnt:
        changes.append(Add(CREDIT_LOT, (account_id, part.lot_id), {"burnt_nusd": part.amount_nusd}))
    return changes


def _freed(position: int, account_id: str, event: e.Released | e.ReservationExpired) -> Sequence[Change]:
    totals = {"held_nusd": -event.reserved_nusd, "open_reservations": -1}
    return (
        Add(CREDIT_ACCOUNT, (account_id,), totals, position),
        Delete(OPEN_HOLD, (account_id, event.reservation_id)),
    )


def _lot_expired(position: int, account_id: str, event: e.LotExpired) -> Sequence[Change]:
    totals = {"expired_nusd": event.amount_nusd, "posted_nusd": -event.amount_nusd}
    lot = (account_id, event.lot_id)
    return (
        Add(CREDIT_ACCOUNT, (account_id,), totals, position),
        Add(CREDIT_LOT, lot, {"expired_nusd": event.amount_nusd}),
        Put(CREDIT_LOT, lot, {"is_taken_back": True}),
    )


def _shortfall(position: int, account_id: str, event: e.ShortfallRecorded) -> Sequence[Change]:
    totals = {"shortfall_nusd": event.amount_nusd, "owed_nusd": event.amount_nusd if event.is_owed else 0}
    return (Add(CREDIT_ACCOUNT, (account_id,), totals, position),)


def _shortfall_paid(position: int, account_id: str, event: e.ShortfallPaid) -> Sequence[Change]:
    """Usage that was paid later: it counts as settled, and its parts as burnt from their lots."""
    paid = event.amount_nusd
    totals = {"settled_nusd": paid, "posted_nusd": -paid, "owed_nusd": -paid}
    return [
        Add(CREDIT_ACCOUNT, (account_id,), totals, position),
        *(Add(CREDIT_LOT, (account_id, part.lot_id), {"burnt_nusd": part.amount_nusd}) for part in event.burnt),
    ]


def _work_unpaid(position: int, account_id: str, event: e.WorkUnpaid) -> Sequence[Change]:
    return (Add(CREDIT_ACCOUNT, (account_id,), {"unpaid_work_nusd": event.presumed_nusd}, position),)


def _attempted(position: int, account_id: str, _: e.AttemptRecorded) -> Sequence[Change]:
    return (Add(CREDIT_ACCOUNT, (account_id,), {}, position),)


_RULES: Rules[Callable[..., Sequence[Change]]] = Rules(
    ["credit"],
    handles={
        e.Granted: _granted,
        e.Reserved: _reserved,
        e.ReservationExtended: _extended,
        e.AttemptRecorded: _attempted,
        e.Settled: _settled,
        e.ShortfallRecorded: _shortfall,
        e.ShortfallPaid: _shortfall_paid,
        e.Released: _freed,
        e.WorkUnpaid: _work_unpaid,
        e.ReservationExpired: _freed,
        e.LotExpired: _lot_expired,
    },
)

PROJECTION = Projection(
    "available_credit",
    version=2,
    tables=(CREDIT_ACCOUNT, CREDIT_LOT, OPEN_HOLD),
    project=project,
    rules=_RULES,
    package=__package__,
    unlike=frozenset(
        {
            "credit_account.settled_nusd",
            "credit_account.posted_nusd",
            "credit_account.position",
            "credit_lot.burnt_nusd",
        }
    ),
)
"""Version 1 has neither payments of shortfalls nor unpaid work."""
