"""Ledgers for the suites of what stands on one: in memory, or in PostgreSQL with a pool beside it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple
from uuid import UUID

import pytest

from adapters.outbound.postgres.append.ledger import PostgresLedger
from adapters.outbound.postgres.read.content import PostgresAnswers
from application.ports.answers import AnswerStore
from application.ports.ledger import Ledger, Recorded
from domain.credit.commands import CreditCommand
from domain.credit.decider import CREDIT
from tests.fakes.memory_ledger import MemoryLedger
from tests.rigs.databases import Database
from tests.rigs.postgres.asking import pool_of
from tests.rigs.postgres.ledgers import running


class LedgerAndAnswers(NamedTuple):
    ledger: Ledger
    answers: AnswerStore


@asynccontextmanager
async def ledger_of(kind: type, request: pytest.FixtureRequest) -> AsyncIterator[LedgerAndAnswers]:
    """kind: what is on trial; what it needs beside it is of the same world."""
    if kind is MemoryLedger:
        memory = MemoryLedger()
        yield LedgerAndAnswers(memory, memory)
        return
    assert kind in (PostgresLedger, PostgresAnswers)
    database: Database = request.getfixturevalue("database")
    async with running(database.writer) as ledger, pool_of(database) as pool:
        yield LedgerAndAnswers(ledger, PostgresAnswers(pool))


async def on_credit(ledger: Ledger, command: CreditCommand, number: int, **more: object) -> Recorded:
    """number: stands for the command id."""
    return await ledger.transact(CREDIT, "acct", command, command_id=UUID(int=number), **more)  # type: ignore[arg-type]
