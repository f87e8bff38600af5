"""What may be asked of the read models. Amounts are nUSD, personal data is sealed; nothing here changes the ledger."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, Protocol

import msgspec

from domain.account.events import AccountState
from domain.api_key.api_key import ApiKey
from domain.credit.events import Attempt
from domain.credit.lot import LotKind, Part
from domain.pricing.rate import ChargeLine
from domain.pricing.usage import Unit


class FoundKey(msgspec.Struct, frozen=True):
    """A key as a lookup by secret finds it. `position` is where the read model stands, not the key's last event."""

    key: ApiKey
    account_state: AccountState
    position: int


class KeySpending(msgspec.Struct, frozen=True):
    """Settled charges of a key in the windows (UTC) that the time of asking falls in; by the day of their reserve."""

    total_nusd: int = 0
    daily_nusd: int = 0
    weekly_nusd: int = 0
    monthly_nusd: int = 0
    requests: int = 0


class KeyRecord(msgspec.Struct, frozen=True):
    """A key and what it spent. `position` is that of the key's last event."""

    key: ApiKey
    spending: KeySpending
    position: int


class AccountRecord(msgspec.Struct, frozen=True):
    """`username` and `email` are sealed under the account's data key."""

    account_id: str
    state: AccountState
    username: bytes
    email: bytes
    opened_at: datetime
    position: int


class Credits(msgspec.Struct, frozen=True, kw_only=True):
    """An account's credit as of `position`, its last credit event (0: none yet).

    available_nusd = posted - held; posted = granted - expired - settled.
    shortfall_nusd: served beyond all credit; owed_nusd: what of it the next purchased grant pays.
    unpaid_work_nusd: what providers presumably charged and nobody paid, ever.
    not_provable_beyond: position of an event that could not be projected; None as it should be.
    """

    account_id: str
    granted_nusd: int = 0
    settled_nusd: int = 0
    expired_nusd: int = 0
    posted_nusd: int = 0
    held_nusd: int = 0
    shortfall_nusd: int = 0
    owed_nusd: int = 0
    unpaid_work_nusd: int = 0
    open_reservations: int = 0
    position: int = 0
    not_provable_beyond: int | None = None

    @property
    def available_nusd(self) -> int:
        return self.posted_nusd - self.held_nusd

    @property
    def total_credits_nusd(self) -> int:
        """What /v1/credits calls total_credits: granted - expired - forfeited - clawed back (PRODUCT §1)."""
        return self.granted_nusd - self.expired_nusd

    @property
    def total_usage_nusd(self) -> int:
        """What /v1/credits calls total_usage: settled + corrections."""
        return self.settled_nusd


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


GenerationStatus = Literal["reserved", "settled", "released", "expired"]


class GenerationRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A request from reserve to end. What comes only with a settle is empty or zero before and without it.

    reservation_id:  `gen-<this>` is the id that customers know, unless a late settle made the record: see `replaces`.
    replaces:        the expired reservation in whose stead this one was made.
    cost_nusd:       taken from lots (`burnt`); charge = cost + shortfall; provider_cost is what the provider bills us.
    app, title:      the application's origin, and what it calls itself: sealed.
    usage:           billed counts per unit, disjoint; lines: quantity and price of each.
    ttft_ms:         time to first token, total_ms until the end, from our receipt of the request.
    """

    reservation_id: str
    account_id: str
    key_id: str
    status: GenerationStatus
    reserve_position: int
    end_position: int | None
    reserved_at: datetime
    ended_at: datetime | None
    requested_model: str
    model: str
    provider: str
    app: str
    title: bytes
    replaces: str
    streamed: bool
    granted_tokens: int
    requested_tokens: int
    deadline_at: datetime
    expires_at: datetime
    holds: tuple[Part, ...]
    reserved_nusd: int
    cost_nusd: int
    shortfall_nusd: int
    charge_nusd: int
    provider_cost_nusd: int
    price_version: str
    rounding: str
    burnt: tuple[Part, ...]
    lines: tuple[ChargeLine, ...]
    usage: Mapping[Unit, int]
    reason: str
    provider_generation_id: str
    finish_reason: str
    error_class: str
    ttft_ms: int
    total_ms: int
    estimated: bool
    quarantined: bool
    cancelled: bool
    attempts: tuple[Attempt, ...] = ()

    @property
    def position(self) -> int:
        """Of the last event about it."""
        return self.end_position or self.reserve_position


class Statement(msgspec.Struct, frozen=True):
    """An account's lots and requests, oldest first, all as of one moment; `position` is where the read models stand."""

    credits: Credits
    lots: Sequence[LotRecord]
    requests: Sequence[GenerationRecord]
    position: int


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
