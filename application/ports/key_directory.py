"""The caller of a request, by its key."""

from typing import Protocol

import msgspec

from domain.account.events import AccountState
from domain.api_key.events import Environment, KeyKind
from domain.window import KeyLimit


class Caller(msgspec.Struct, frozen=True):
    """A key that was accepted, and the account behind it."""

    key_id: str
    account_id: str
    kind: KeyKind
    environment: Environment
    account_state: AccountState
    limit: KeyLimit | None = None


class KeyDirectory(Protocol):
    def remembered(self, secret: str) -> Caller | None:
        """The caller if it is held in memory, else None. Raises: as `authenticate`."""
        ...

    async def authenticate(self, secret: str) -> Caller:
        """Find the caller; a revocation takes effect within one second (docs/reference/rules.md#keys).

        Raises: DomainError invalid_api_key, api_key_disabled, api_key_expired, account_not_served; ledger_unavailable
                if a lookup was needed and took too long.
        """
        ...
