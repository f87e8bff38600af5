"""Reading your writes: a read waits for a position, but never longer than it was told
(docs/explanation/projections.md)."""

import asyncio

from adapters.outbound.postgres.builds.project_log import Projector
from adapters.outbound.postgres.read.reads import postgres_reads
from tests.projections.append_events import append_events
from tests.projections.story import halves, wild_story
from tests.rigs.databases import Database
from tests.rigs.postgres.asking import ask, pool_of
from tests.rigs.postgres.projecting import running


def test_many_wait_and_all_are_woken(database: Database) -> None:
    before, after = halves(wild_story(43))
    append_events(database.writer, before)
    Projector(database.projector).catch_up()
    end = after[-1].position

    async def wait() -> list[bool]:
        async with pool_of(database) as pool:
            reads = postgres_reads(pool)
            waiting = [asyncio.create_task(reads.positions.wait_for(end, 20)) for _ in range(50)]
            impatient = asyncio.create_task(reads.positions.wait_for(end, 0.01))
            assert not await impatient
            await asyncio.to_thread(append_events, database.writer, after)
            return await asyncio.gather(*waiting)

    with running(database):
        assert asyncio.run(wait()) == [True] * 50


def test_a_read_without_position_waits_for_the_accounts_own_last_event(database: Database) -> None:
    before, after = halves(wild_story(44))
    append_events(database.writer, before)
    Projector(database.projector).catch_up()
    append_events(database.writer, after)
    behind = next(event.stream.partition("-")[2] for event in reversed(after) if not event.stream.startswith("key"))
    assert not ask(database, lambda reads: reads.positions.wait_for_account(behind, 0.1))
    with running(database):
        assert ask(database, lambda reads: reads.positions.wait_for_account(behind, 20))
