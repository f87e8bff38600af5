"""What is known of a request, as facts that are only ever added: its reserve, extensions, failed attempts and end.

Nothing here is updated, so writing is a plain copy and comparing with a replay needs no memory; the view
read.generation joins the facts by reservation. The id that customers see is `gen-<reservation>`.
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from domain.credit import events as e
from domain.rules import Rules
from projections.engine.changes import (
    COUNT,
    CREDIT_PREFIX,
    FLAG,
    OPTIONAL_JSON,
    OPTIONAL_TIME,
    TEXT,
    Change,
    Column,
    Insert,
    Law,
    Logged,
    Projection,
    Table,
    burnt_nusd,
    stored_text,
)
from projections.generation.app_column import app_text

_ABOUT: dict[str, Column] = {"position": COUNT, "reservation_id": TEXT, "account_id": TEXT, "at": OPTIONAL_TIME}

GENERATION_RESERVE = Table(
    "generation_reserve",
    {
        **_ABOUT,
        "key_id": TEXT,
        "amount_nusd": COUNT,
        "holds": OPTIONAL_JSON,
        "granted_tokens": COUNT,
        "requested_tokens": COUNT,
        "deadline_at": OPTIONAL_TIME,
        "expires_at": OPTIONAL_TIME,
        "requested_model": TEXT,
        "model": TEXT,
        "provider": TEXT,
        "price_version": TEXT,
        "streamed": FLAG,
        "app": TEXT,
        "replaces": TEXT,
    },
    insert_only=True,
)

GENERATION_EXTENSION = Table(
    "generation_extension", {**_ABOUT, "added_nusd": COUNT, "holds": OPTIONAL_JSON}, insert_only=True
)

GENERATION_ATTEMPT = Table(
    "generation_attempt",
    {**_ABOUT, "provider": TEXT, "error_class": TEXT, "status": COUNT, "duration_ms": COUNT},
    insert_only=True,
)

GENERATION_END = Table(
    "generation_end",
    {
        **_ABOUT,
        "status": TEXT,
        "reserved_nusd": COUNT,
        "reason": TEXT,
        "cost_nusd": COUNT,
        "shortfall_nusd": COUNT,
        "burnt": OPTIONAL_JSON,
        "charge_nusd": COUNT,
        "charge_lines": OPTIONAL_JSON,
        "price_version": TEXT,
        "rounding": TEXT,
        "model": TEXT,
        "provider": TEXT,
        "provider_generation_id": TEXT,
        "provider_cost_nusd": COUNT,
        "usage": OPTIONAL_JSON,
        "finish_reason": TEXT,
        "error_class": TEXT,
        "ttft_ms": COUNT,
        "total_ms": COUNT,
        "streamed": FLAG,
        "estimated": FLAG,
        "quarantined": FLAG,
        "cancelled": FLAG,
    },
    insert_only=True,
)

_encode = msgspec.json.Encoder().encode


def project(recorded: Logged) -> Sequence[Change]:
    rule = _RULES[type(recorded.event)]
    if rule is None:
        return ()
    return rule(recorded.position, recorded.stream[CREDIT_PREFIX:], recorded.event)


def _reserved(position: int, account_id: str, event: e.Reserved) -> Sequence[Change]:
    row = (
        position,
        event.reservation_id,
        account_id,
        event.at,
        event.key_id,
        event.amount_nusd,
        _encode(event.holds).decode(),
        event.granted_tokens,
        event.quote.requested_tokens,
        event.deadline_at,
        event.expires_at,
        stored_text(event.requested_model),
        event.model,
        event.provider,
        event.price_version,
        event.streamed,
        app_text(stored_text(event.app), event.title),
        event.replaces,
    )
    return (Insert(GENERATION_RESERVE, (row,)),)


def _extended(position: int, account_id: str, event: e.ReservationExtended) -> Sequence[Change]:
    row = (position, event.reservation_id, account_id, event.at, event.added_nusd, _encode(event.holds).decode())
    return (Insert(GENERATION_EXTENSION, (row,)),)


def _attempted(position: int, account_id: str, event: e.AttemptRecorded) -> Sequence[Change]:
    row = (position, event.reservation_id, account_id, event.at, *_attempt(event.attempt))
    return (Insert(GENERATION_ATTEMPT, (row,)),)


def _attempt(attempt: e.Attempt) -> tuple[Any, ...]:
    return attempt.provider, stored_text(attempt.error_class), attempt.status, attempt.duration_ms


def _settled(position: int, account_id: str, event: e.Settled) -> Sequence[Change]:
    charge, generation = event.charge, event.generation
    cost = burnt_nusd(event)
    row = (
        position,
        event.reservation_id,
        account_id,
        event.at,
        "settled",
        event.reserved_nusd,
        "",
        cost,
        charge.total_nusd - cost,
        _encode(event.burnt).decode(),
        charge.total_nusd,
        _encode(charge.lines).decode(),
        charge.price_version,
        charge.rounding,
        generation.model,
        generation.provider,
        stored_text(generation.provider_generation_id),
        generation.cost_nusd,
        _encode(generation.usage).decode(),
        stored_text(generation.finish_reason),
        stored_text(generation.error_class),
        generation.ttft_ms,
        generation.total_ms,
        generation.streamed,
        generation.estimated,
        generation.quarantined,
        generation.cancelled,
    )
    return (Insert(GENERATION_END, (row,)),)


def _released(position: int, account_id: str, event: e.Released) -> Sequence[Insert]:
    end = _unbilled(position, account_id, event, "released", stored_text(event.reason))
    if event.attempt is None:
        return (end,)
    failed = (position, event.reservation_id, account_id, event.at, *_attempt(event.attempt))
    return end, Insert(GENERATION_ATTEMPT, (failed,))


def _expired(position: int, account_id: str, event: e.ReservationExpired) -> Sequence[Insert]:
    return (_unbilled(position, account_id, event, "expired", event.rule, event.model, event.provider),)


def _unbilled(
    position: int,
    account_id: str,
    event: e.Released | e.ReservationExpired,
    status: str,
    reason: str,
    model: str = "",
    provider: str = "",
) -> Insert:
    """The end of a request that charges nothing: every column of an answer keeps its default."""
    known = {
        "position": position,
        "reservation_id": event.reservation_id,
        "account_id": account_id,
        "at": event.at,
        "status": status,
        "reserved_nusd": event.reserved_nusd,
        "reason": reason,
        "model": model,
        "provider": provider,
    }
    row = tuple(known.get(name, column.default) for name, column in GENERATION_END.columns.items())
    return Insert(GENERATION_END, (row,))


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
