"""All questions there are."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from application.reads.accounts import AccountRecord
from application.reads.credits import Credits
from application.reads.generations import GenerationRecord
from application.reads.keys import FoundKey, KeyRecord
from application.reads.statements import Statement


class ReadModels(Protocol):
    """Questions to the read models. They are some 50 ms behind the log: `wait_for` a position to read your writes."""

    async def find_key(self, secret_hash: bytes) -> FoundKey | None:
        """The key that has, or within its grace had, a secret with this hash; whether it opens is the key's own say."""
        ...

    async def key(self, account_id: str, key_id: str, now: datetime) -> KeyRecord | None:
        """One key of the account, revoked ones included."""
        ...

    async def keys(self, account_id: str, now: datetime) -> Sequence[KeyRecord]:
        """The account's keys that are not revoked, oldest first."""
        ...

    async def account(self, account_id: str) -> AccountRecord | None: ...

    async def accounts(self, after: str, limit: int) -> Sequence[AccountRecord]:
        """Oldest first, those behind the account `after`; an empty text begins at the first."""
        ...

    async def credits(self, account_id: str) -> Credits:
        """All zero for an account without credit events."""
        ...

    async def generation(self, account_id: str, generation_id: str) -> GenerationRecord | None:
        """By `gen-<reservation>` or the reservation itself; of a late settle, by the id that the customer was given."""
        ...

    async def statement(self, account_id: str, limit: int) -> Statement:
        """All lots and the last `limit` requests."""
        ...

    async def due_reservations(self, now: datetime, limit: int) -> Sequence[tuple[str, str]]:
        """(account id, reservation id) of open reservations past their expiry, longest overdue first."""
        ...

    async def due_lots(self, now: datetime, limit: int) -> Sequence[tuple[str, str]]:
        """(account id, lot id) of lots past their expiry that still have something, longest overdue first."""
        ...

    async def open_reservations(self) -> int:
        """Of all accounts: for metrics."""
        ...

    async def last_position_of(self, streams: Sequence[str]) -> int:
        """Position of the newest event of `streams` in the log itself; 0 if there is none."""
        ...

    async def wait_for(self, position: int, timeout_s: float) -> bool:
        """Wait until every read model holds the log up to `position`; False if it does not within `timeout_s`."""
        ...

    async def wait_for_account(self, account_id: str, timeout_s: float = 1.0) -> bool:
        """What a read without ?after does: wait for the account's last position at arrival (DESIGN §6)."""
        ...
