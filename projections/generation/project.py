"""A request as rows that are only ever added: its reserve, extensions, failed attempts and end.

Nothing here is updated, so writing is a plain COPY and comparing with a replay needs no memory; the view
read.generation joins the facts by reservation. The id that customers see is `gen-<reservation>`.
"""

from collections.abc import Callable, Sequence

from domain.credit import events as e
from domain.rules import Rules
from projections.engine.changes import (
    COUNT,
    CREDIT_PREFIX,
    FLAG,
    JSON,
    OPTIONAL_JSON,
    TEXT,
    TEXT_FROM_OUTSIDE,
    TIME,
    Change,
    Column,
    Index,
    Law,
    Logged,
    Projection,
    Table,
    burnt_nusd,
    stored_text,
)
from projections.engine.insert_by_name import Constant, insert_by_name
from projections.generation.app_column import app_text

_ABOUT: dict[str, Column] = {"position": COUNT, "reservation_id": TEXT, "account_id": TEXT, "at": TIME}

GENERATION_RESERVE = Table(
    "generation_reserve",
    {
        **_ABOUT,
        "key_id": TEXT,
        "amount_nusd": COUNT,
        "holds": JSON,  # [[lot, nUSD], ...] in burn order
        "granted_tokens": COUNT,
        "requested_tokens": COUNT,
        "deadline_at": TIME,
        "expires_at": TIME,
        "requested_model": TEXT_FROM_OUTSIDE,
        "model": TEXT,
        "provider": TEXT,
        "price_version": TEXT,
        "streamed": FLAG,
        "app": TEXT,
        "replaces": TEXT,  # the expired reservation that a late settle replaced by this one
    },
    insert_only=True,
    indexes=(
        Index("id", "reservation_id"),
        Index("account", "account_id, position"),
        Index("replaces", "replaces", where="replaces <> ''"),
    ),
)

GENERATION_EXTENSION = Table(
    "generation_extension",
    {**_ABOUT, "added_nusd": COUNT, "holds": JSON},
    insert_only=True,
    indexes=(Index("id", "reservation_id"),),
)

GENERATION_ATTEMPT = Table(
    "generation_attempt",
    {**_ABOUT, "provider": TEXT, "error_class": TEXT_FROM_OUTSIDE, "status": COUNT, "duration_ms": COUNT},
    insert_only=True,
    indexes=(Index("id", "reservation_id"),),
)

GENERATION_END = Table(
    "generation_end",
    {
        **_ABOUT,
        "status": TEXT,  # settled | released | expired
        "reserved_nusd": COUNT,  # with extensions
        "reason": TEXT_FROM_OUTSIDE,  # of a release, rule of an expiry
        "cost_nusd": COUNT,  # taken from lots
        "shortfall_nusd": COUNT,
        "burnt": OPTIONAL_JSON,  # [[lot, nUSD], ...]
        "charge_nusd": COUNT,  # cost + shortfall
        "charge_lines": OPTIONAL_JSON,  # [[unit, quantity, nUSD per 10^6], ...]
        "price_version": TEXT,
        "rounding": TEXT,
        "model": TEXT,  # that served
        "provider": TEXT,
        "provider_generation_id": TEXT_FROM_OUTSIDE,
        "provider_cost_nusd": COUNT,
        "usage": OPTIONAL_JSON,  # {unit: count}
        "finish_reason": TEXT_FROM_OUTSIDE,
        "error_class": TEXT_FROM_OUTSIDE,
        "ttft_ms": COUNT,
        "total_ms": COUNT,
        "streamed": FLAG,
        "estimated": FLAG,
        "quarantined": FLAG,
        "cancelled": FLAG,
    },
    insert_only=True,
    indexes=(Index("id", "reservation_id"),),
)


def project(recorded: Logged) -> Sequence[Change]:
    rule = _RULES[type(recorded.event)]
    if rule is None:
        return ()
    return rule(recorded.position, recorded.stream[CREDIT_PREFIX:], recorded.event)


def _app(event: e.Reserved) -> str:
    return app_text(stored_text(event.app), event.title)


def _shortfall_nusd(event: e.Settled) -> int:
    return event.charge.total_nusd - burnt_nusd(event)


_reserved = insert_by_name(GENERATION_RESERVE, e.Reserved, inside=("quote",), app=_app)

_extended = insert_by_name(GENERATION_EXTENSION, e.ReservationExtended)

_attempted = insert_by_name(GENERATION_ATTEMPT, e.AttemptRecorded, inside=("attempt",))

_settled = insert_by_name(
    GENERATION_END,
    e.Settled,
    inside=("charge", "generation"),
    status=Constant("settled"),
    reason=Constant(""),
    cost_nusd=burnt_nusd,
    shortfall_nusd=_shortfall_nusd,
    charge_nusd="charge.total_nusd",
    charge_lines="charge.lines",
)

_released_at_once = insert_by_name(GENERATION_END, e.Released, is_partial=True, status=Constant("released"))
"""The end of a request that charges nothing: every column of an answer keeps its default."""

_failed_at_last = insert_by_name(GENERATION_ATTEMPT, e.Released, inside=("attempt",))

_expired = insert_by_name(
    GENERATION_END, e.ReservationExpired, is_partial=True, status=Constant("expired"), reason="rule"
)


def _released(position: int, account_id: str, event: e.Released) -> Sequence[Change]:
    end = _released_at_once(position, account_id, event)
    return end if event.attempt is None else end + _failed_at_last(position, account_id, event)


_RULES: Rules[Callable[..., Sequence[Change]]] = Rules(
    ["credit"],
    handles={
        e.Reserved: _reserved,
        e.ReservationExtended: _extended,
        e.AttemptRecorded: _attempted,
        e.Settled: _settled,
        e.Released: _released,
        e.ReservationExpired: _expired,
    },
    ignores=[e.Granted, e.ShortfallRecorded, e.ShortfallPaid, e.WorkUnpaid, e.LotExpired],
)


def _once(says: str, table: str) -> Law:
    return Law(
        says,
        f"""
        SELECT max(position), 'reservation ' || reservation_id FROM read.{table}_{{build}}
         GROUP BY account_id, reservation_id HAVING count(*) > 1 ORDER BY 1 LIMIT 1
        """,
    )


PROJECTION = Projection(
    "generation",
    version=1,
    tables=(GENERATION_RESERVE, GENERATION_EXTENSION, GENERATION_ATTEMPT, GENERATION_END),
    project=project,
    rules=_RULES,
    package=__package__,
    laws=(
        _once("a reservation begins once", GENERATION_RESERVE.name),
        _once("a reservation ends at most once", GENERATION_END.name),
    ),
)
