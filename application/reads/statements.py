"""An account's statement."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from application.reads.credits import Credits
from application.reads.generations import GenerationRecord
from domain.lot_kind import LotKind


class LotRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A lot: granted = burnt + expired + held + available. `reason` is sealed."""

    lot_id: str
    kind: LotKind
    priority: int
    granted_nusd: int
    burnt_nusd: int
    expired_nusd: int
    held_nusd: int
    granted_at: datetime
    expires_at: datetime | None
    source: str
    reason: bytes
    position: int

    @property
    def available_nusd(self) -> int:
        return self.granted_nusd - self.burnt_nusd - self.expired_nusd - self.held_nusd


class Statement(msgspec.Struct, frozen=True):
    """An account's lots and requests, oldest first, all as of one moment; `position` is the read models'."""

    credits: Credits
    lots: Sequence[LotRecord]
    requests: Sequence[GenerationRecord]
    position: int


class StatementReads(Protocol):
    async def of_account(self, account_id: str, limit: int) -> Statement:
        """All lots and the last `limit` requests."""
        ...
