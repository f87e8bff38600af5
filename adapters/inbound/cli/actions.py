"""What the verbs can do. Wiring hands it in: this package knows no database, no provider, no process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

if TYPE_CHECKING:  # only named here: `--help` need not load them
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from adapters.inbound.cli.render.banner import Started
    from adapters.inbound.cli.render.views import AccountLine, AccountView, KeyView, StatementView
    from application.change_account_state import ChangedState
    from application.grant_credit import Granted
    from application.manage_keys import IssuedKey
    from application.verify_ledger import Report
    from domain.account.events import AccountState
    from domain.api_key.events import Environment, KeyKind
    from domain.lot_kind import LotKind
    from domain.window import KeyLimit


Process = Literal["api", "projector", "auditor"]
"""Whose login to the database is asked for."""


class DemoAccess(NamedTuple):
    """A running instance, and a key and a model to try it with. url: without /v1."""

    url: str
    api_key: str
    account_id: str
    model: str


class Actions(Protocol):
    """`account` is an account's id or username, `key` a key's id or label.

    Each raises Complaint for what an operator must know.

    credentials: base_url, admin_key, demo_key.
    """

    def serve(self, tell: Callable[[Started], None]) -> int: ...

    def api(self) -> int: ...

    def projector(self) -> int: ...

    def migrate(self) -> Sequence[str]: ...

    def database_url(self, process: Process) -> str: ...

    def rotate_keyring(self) -> tuple[int, int]:
        """How many data keys there are, and how many were wrapped anew."""
        ...

    def rotate_derivation_secret(self) -> None: ...

    def verify(self) -> Report: ...

    def credentials(self) -> Mapping[str, str]: ...

    def demo_access(self) -> DemoAccess: ...

    def statement(self, account: str, limit: int) -> StatementView: ...

    def open_account(self, username: str, email: str) -> str: ...

    def change_account_state(self, account: str, state: AccountState, reason: str) -> ChangedState: ...

    def account(self, account: str) -> AccountView: ...

    def accounts(self) -> Sequence[AccountLine]: ...

    def issue_key(
        self,
        account: str,
        label: str,
        environment: Environment,
        kind: KeyKind,
        limit: KeyLimit | None,
        expires_at: datetime | None,
    ) -> IssuedKey: ...

    def keys(self, account: str) -> Sequence[KeyView]: ...

    def rotate_key(self, account: str, key: str, grace_s: int) -> IssuedKey: ...

    def revoke_key(self, account: str, key: str) -> int: ...

    def grant(
        self,
        account: str,
        amount_nusd: int,
        kind: LotKind,
        reason: str,
        expires_at: datetime | None,
        priority: int | None,
    ) -> Granted: ...
