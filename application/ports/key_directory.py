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
        """The caller, if that is known without asking anybody. Raises as `authenticate` does."""
        ...

    async def authenticate(self, secret: str) -> Caller:
        """Find the caller; never older than one second behind a revocation (docs/reference/rules.md#keys).

        Raises: DomainError invalid_api_key, api_key_disabled, api_key_expired, account_not_served; ledger_unavailable
                if the key had to be looked up and that took too long.
        """
        ...
