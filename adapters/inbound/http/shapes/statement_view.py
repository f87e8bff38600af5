"""An account's history, from the read models: every lot, the last requests, all as of one position."""

from datetime import datetime

import msgspec

from application.credit.show_statement import ShownLot, ShownStatement
from application.reads.generations import GenerationRecord, GenerationStatus
from domain.log import format_position
from domain.lot_kind import LotKind
from domain.money import format_usd


class LotLine(msgspec.Struct, frozen=True, kw_only=True):
    """granted = burnt + expired + held + available."""

    lot_id: str
    kind: LotKind
    priority: int
    granted_usd: str
    burnt_usd: str
    expired_usd: str
    held_usd: str
    available_usd: str
    granted_at: datetime
    expires_at: datetime | None
    source: str
    position: str


class RequestLine(msgspec.Struct, frozen=True, kw_only=True):
    """One request from its reserve to its end."""

    generation_id: str
    key_id: str
    status: GenerationStatus
    model: str
    provider: str
    reserved_at: datetime
    ended_at: datetime | None
    reserved_usd: str
    cost_usd: str
    shortfall_usd: str
    usage: dict[str, int]
    price_version: str
    estimated: bool
    reason: str
    reserve_position: str
    end_position: str | None


class StatementView(msgspec.Struct, frozen=True, kw_only=True):
    """All as of `position`. The next purchased grant pays `owed_usd` first; `unpaid_work_usd` is not owed."""

    account_id: str
    total_credits_usd: str
    total_usage_usd: str
    posted_usd: str
    held_usd: str
    available_usd: str
    shortfall_usd: str
    owed_usd: str
    unpaid_work_usd: str
    lots: list[LotLine]
    requests: list[RequestLine]
    position: str


def view_statement(statement: ShownStatement) -> StatementView:
    totals = statement.credits
    return StatementView(
        account_id=statement.account_id,
        total_credits_usd=format_usd(totals.total_credits_nusd),
        total_usage_usd=format_usd(totals.total_usage_nusd),
        posted_usd=format_usd(totals.posted_nusd),
        held_usd=format_usd(totals.held_nusd),
        available_usd=format_usd(totals.available_nusd),
        shortfall_usd=format_usd(totals.shortfall_nusd),
        owed_usd=format_usd(totals.owed_nusd),
        unpaid_work_usd=format_usd(totals.unpaid_work_nusd),
        lots=[_lot_line(lot) for lot in statement.lots],
        requests=[_request_line(request) for request in statement.requests],
        position=format_position(statement.position),
    )


def _lot_line(lot: ShownLot) -> LotLine:
    return LotLine(
        lot_id=lot.lot_id,
        kind=lot.kind,
        priority=lot.priority,
        granted_usd=format_usd(lot.granted_nusd),
        burnt_usd=format_usd(lot.burnt_nusd),
        expired_usd=format_usd(lot.expired_nusd),
        held_usd=format_usd(lot.held_nusd),
        available_usd=format_usd(lot.available_nusd),
        granted_at=lot.granted_at,
        expires_at=lot.expires_at,
        source=lot.source,
        position=format_position(lot.position),
    )


def _request_line(record: GenerationRecord) -> RequestLine:
    return RequestLine(
        generation_id=f"gen-{record.replaces or record.reservation_id}",
        key_id=record.key_id,
        status=record.status,
        model=record.model,
        provider=record.provider,
        reserved_at=record.reserved_at,
        ended_at=record.ended_at,
        reserved_usd=format_usd(record.reserved_nusd),
        cost_usd=format_usd(record.paid_nusd),
        shortfall_usd=format_usd(record.shortfall_nusd),
        usage={str(unit): count for unit, count in record.usage.items()},
        price_version=record.price_version,
        estimated=record.estimated,
        reason=record.reason,
        reserve_position=format_position(record.reserve_position),
        end_position=None if record.end_position is None else format_position(record.end_position),
    )
