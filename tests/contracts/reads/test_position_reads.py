"""What application.reads.positions promises."""

import time

from adapters.outbound.postgres.read.positions import PostgresPositionReads
from application.reads.positions import PositionReads
from tests.contracts.reads.logs import Told
from tests.fakes.reads.positions import MemoryPositionReads
from tests.projections.story import wild_story

SUBJECTS = {"memory": MemoryPositionReads, "postgres": PostgresPositionReads}
PORT = PositionReads


async def test_the_last_position_is_that_of_the_log_itself(told: Told) -> None:
    events = wild_story(40)
    positions = (await told(events)).positions
    for stream in {event.stream for event in events}:
        expected = max(event.position for event in events if event.stream == stream)
        assert await positions.last_of([stream, "credit-nobody"]) == expected
    assert await positions.last_of(["credit-nobody"]) == 0


async def test_what_is_there_is_not_waited_for(told: Told) -> None:
    events = wild_story(41)
    positions = (await told(events)).positions
    assert await positions.wait_for(len(events), 0.5)
    assert await positions.wait_for_account("acct-0", 0.5)


async def test_waiting_ends_in_time(told: Told) -> None:
    events = wild_story(42)
    positions = (await told(events)).positions
    started_s = time.monotonic()
    assert not await positions.wait_for(len(events) + 1, 0.2)
    assert time.monotonic() - started_s < 5
