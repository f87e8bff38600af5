"""The fakes answer every question as PostgreSQL does, whatever happened."""

import asyncio
import random
from datetime import timedelta

import pytest

from adapters.outbound.postgres.builds.project_log import Projector
from adapters.outbound.postgres.read.reads import postgres_reads
from application.reads.reads import Reads
from domain.log import RecordedEvent
from tests.fakes.reads.reads import memory_reads
from tests.projections.append_events import append_events
from tests.projections.story import wild_story
from tests.rigs.databases import Database
from tests.rigs.postgres.asking import pool_of

ACCOUNTS = ("acct-0", "acct-1", "acct-2", "nobody")


async def answers(reads: Reads, events: list[RecordedEvent]) -> list[object]:
    """To every question, at the end of the log and some time before."""
    found: list[object] = [await reads.accounts.page("", 9), await reads.credits.open_reservations()]
    for now in (events[-1].event.at, events[-1].event.at - timedelta(days=3)):
        found.append(await reads.due.lots(now, 99))
        found.append(await reads.due.reservations(now, 99))
        for account_id in ACCOUNTS:
            found.append(await reads.keys.of_account(account_id, now))
            found.append(await reads.keys.find(account_id, f"{account_id}-k0", now))
    for account_id in ACCOUNTS:
        found.append(await reads.accounts.find(account_id))
        statement = await reads.statements.of_account(account_id, 1_000)
        found.append(statement)
        for request in statement.requests:
            found.append(await reads.generations.find(account_id, request.replaces or request.reservation_id))
        found.append(await reads.keys.with_secret(f"hash of {account_id}-k1".encode()))
    return found


EXTENDED = 428_731
"""At its end a reservation is open that holds a lot by an extension alone."""


@pytest.mark.parametrize("fixed", [EXTENDED, None])
async def test_fakes_answer_as_postgres_does(database: Database, fixed: int | None) -> None:
    seed = random.randrange(10**6) if fixed is None else fixed
    print(f"seed {seed}")
    events = wild_story(seed, steps=200)
    await asyncio.to_thread(append_events, database.writer, events)
    await asyncio.to_thread(Projector(database.projector).catch_up)
    async with pool_of(database) as pool:
        assert await answers(memory_reads(events), events) == await answers(postgres_reads(pool), events)
