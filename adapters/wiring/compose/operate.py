"""Running one use case from the command line, on the database of an instance whether it runs or not."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar
from uuid import UUID

from adapters.complaint import Complaint
from adapters.settings.settings import Settings
from adapters.wiring.compose.core import Core, running_core
from adapters.wiring.database.database import Database
from adapters.wiring.database.find_database import reachable_database
from domain.aggregates import owner_of
from domain.claim import Claim
from domain.errors import DomainError

T = TypeVar("T")

PATIENCE_S = 30.0
"""A deed takes milliseconds; the ledger itself would wait for its database as long as that is away."""


def operate(settings: Settings, deed: Callable[[Core], Awaitable[T]]) -> T:
    """Raises: Complaint, EmbeddedPostgresError, DomainError of the deed."""
    with reachable_database(settings) as database:
        return run_on_core(database, settings, deed)


def run_on_core(database: Database, settings: Settings, deed: Callable[[Core], Awaitable[T]]) -> T:
    """Raises: Complaint if the ledger does not answer in time; what was asked of it may still have been recorded."""

    async def run() -> T:
        async with running_core(database, settings, "gatewayz operator") as core, asyncio.timeout(PATIENCE_S):
            return await deed(core)

    try:
        return asyncio.run(run())
    except TimeoutError:
        raise Complaint(f"the ledger did not answer within {PATIENCE_S:.0f} s: is its database well?") from None


async def account_id_of(core: Core, account: str) -> str:
    """From an id or a username. Raises: DomainError account_not_found."""
    try:
        return str(UUID(account))
    except ValueError:
        stream = await core.ledger.holder_of(
            Claim("username", core.personal_data.keyed_hash("username", account.casefold()))
        )
    if stream is None:
        raise DomainError("account_not_found", account=account)
    return owner_of(stream)
