"""The actions of the verbs. Wiring implements them: this package knows no database, no provider, no process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, TypeVar

if TYPE_CHECKING:  # only named here: `--help` need not load them
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from adapters.inbound.cli.render.banner import Started
    from application.audit.verify_ledger import Report
    from application.use_cases import UseCases

T = TypeVar("T")

Process = Literal["api", "projector", "auditor"]
"""The process that needs a login to the database."""


class DemoAccess(NamedTuple):
    """A running instance, and a key and a model to try it with. url: without /v1."""

    url: str
    api_key: str
    account_id: str
    model: str


class Actions(Protocol):
    """Processes, checks, and access to the use cases. Each method raises OperatorError if an operator has to act.

    credentials: base_url, admin_key, demo_key.
    """

    def serve(self, on_start: Callable[[Started], None]) -> int: ...

    def api(self) -> int: ...

    def projector(self) -> int: ...

    def migrate(self) -> Sequence[str]: ...

    def database_url(self, process: Process) -> str: ...

    def rotate_keyring(self) -> tuple[int, int]:
        """The number of data keys, and the number of those that were wrapped again."""
        ...

    def rotate_derivation_secret(self) -> None: ...

    def verify(self) -> Report: ...

    def credentials(self) -> Mapping[str, str]: ...

    def demo_access(self) -> DemoAccess: ...

    def operate(self, deed: Callable[[UseCases], Awaitable[T]]) -> T:
        """Run use cases on the instance's database. Raises also: DomainError of the use cases."""
        ...


def on_account(actions: Actions, account: str, deed: Callable[[UseCases, str], Awaitable[T]]) -> T:
    """Call `deed` with the id of `account`, which is an id or a username."""

    async def run(use_cases: UseCases) -> T:
        return await deed(use_cases, await use_cases.find_account(account))

    return actions.operate(run)


def on_key(actions: Actions, account: str, key: str, deed: Callable[[UseCases, str, str], Awaitable[T]]) -> T:
    """Call `deed` with the ids of `account` and `key`; `key` is an id or a label."""

    async def run(use_cases: UseCases, account_id: str) -> T:
        return await deed(use_cases, account_id, await use_cases.find_key(account_id, key))

    return on_account(actions, account, run)
