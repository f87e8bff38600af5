"""Runs use cases for the command line, on the database of an instance that may be running or stopped."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from adapters.operator_error import OperatorError
from adapters.settings.settings import Settings
from adapters.wiring.compose.core import running_core
from adapters.wiring.database.database import Database
from adapters.wiring.database.find_database import reachable_database
from application.use_cases import UseCases, use_cases

T = TypeVar("T")

PATIENCE_S = 30.0
"""A use case takes milliseconds; the ledger alone would wait for its database without a limit."""


def operate(settings: Settings, deed: Callable[[UseCases], Awaitable[T]]) -> T:
    """Raises: OperatorError, EmbeddedPostgresError, DomainError of the deed."""
    with reachable_database(settings) as database:
        return operate_on(database, settings, deed)


def operate_on(database: Database, settings: Settings, deed: Callable[[UseCases], Awaitable[T]]) -> T:
    """Raises: OperatorError if the ledger does not answer in time; the command may still have been recorded."""

    async def run() -> T:
        async with running_core(database, settings, "gatewayz operator") as core, asyncio.timeout(PATIENCE_S):
            return await deed(use_cases(core.ports))

    try:
        return asyncio.run(run())
    except TimeoutError:
        raise OperatorError(f"the ledger did not answer within {PATIENCE_S:.0f} s: is its database well?") from None
