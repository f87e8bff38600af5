"""Show an account's history: its grants, what each request reserved, used and cost, and the available credit."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from application.reads.credits import Credits
from application.reads.generations import GenerationRecord
from application.reads.positions import PATIENCE_S
from application.reads.statements import LotRecord
from application.sealed import opened
from application.write import Ports, known_account
from domain.errors import DomainError
from domain.lot_kind import LotKind

MAX_REQUESTS = 10_000
"""People read statements; programs page through generations instead."""


class ShowStatement(msgspec.Struct, frozen=True):
    """limit:      the last so many requests.
    patience_s: how long to wait for the account's newest events; after that the statement shows an earlier state, as of
                its position. 0 if the caller has already waited for the events it needs.
    """

    limit: int = 100
    patience_s: float = PATIENCE_S


class ShownLot(msgspec.Struct, frozen=True, kw_only=True):
    """granted = burnt + expired + held + available; `reason` is decrypted."""

    lot_id: str
    kind: LotKind
    priority: int
    granted_nusd: int
    burnt_nusd: int
    expired_nusd: int
    held_nusd: int
    available_nusd: int
    granted_at: datetime
    expires_at: datetime | None
    source: str
    reason: str
    position: int


class ShownStatement(msgspec.Struct, frozen=True, kw_only=True):
    """Oldest first, as of `position` in the log. `username` is empty until the read models have the account."""

    account_id: str
    username: str
    available_nusd: int
    credits: Credits
    lots: Sequence[ShownLot]
    requests: Sequence[GenerationRecord]
    position: int


async def show_statement(ports: Ports, account_id: str, wanted: ShowStatement) -> ShownStatement:
    """Raises: DomainError account_not_found, invalid_request (limit)."""
    if not 0 < wanted.limit <= MAX_REQUESTS:
        raise DomainError("invalid_request", param="limit", message=f"limit must be from 1 to {MAX_REQUESTS}")
    if wanted.patience_s:
        await ports.reads.positions.wait_for_account(account_id, wanted.patience_s)
    account = await ports.reads.accounts.find(account_id)
    if account is None:  # the read models lag, or there is no such account
        await known_account(ports, account_id)
    statement = await ports.reads.statements.of_account(account_id, wanted.limit)
    return ShownStatement(
        account_id=account_id,
        username=await opened(ports.personal_data, account_id, account.username) if account else "",
        available_nusd=statement.credits.available_nusd,
        credits=statement.credits,
        lots=[await _shown(ports, account_id, lot) for lot in statement.lots],
        requests=statement.requests,
        position=statement.position,
    )


async def _shown(ports: Ports, account_id: str, lot: LotRecord) -> ShownLot:
    return ShownLot(
        lot_id=lot.lot_id,
        kind=lot.kind,
        priority=lot.priority,
        granted_nusd=lot.granted_nusd,
        burnt_nusd=lot.burnt_nusd,
        expired_nusd=lot.expired_nusd,
        held_nusd=lot.held_nusd,
        available_nusd=lot.available_nusd,
        granted_at=lot.granted_at,
        expires_at=lot.expires_at,
        source=lot.source,
        reason=await opened(ports.personal_data, account_id, lot.reason),
        position=lot.position,
    )
