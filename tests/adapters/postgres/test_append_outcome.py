"""Each kind of row that ledger.append returns, made by the server and read by the write path."""

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest

from adapters.outbound.postgres.append.append_batch import (
    MAX_MISSED,
    PREPARED_APPEND,
    BatchOutcome,
    NewEvent,
    Seen,
    Submission,
    outcome,
    parameters,
)
from adapters.outbound.postgres.wire.ask_server import WireConnection, rows
from domain.claim import Claim
from tests.rigs.databases import Database
from tests.rigs.postgres.ledgers import some_events

EMAIL = Claim("email", b"hash")


class Server:
    def __init__(self, connection: WireConnection) -> None:
        self._connection = connection

    async def append(self, *batch: Submission, in_turn: frozenset[str] = frozenset()) -> BatchOutcome:
        arrays = [array.data for array in parameters(batch, in_turn)]
        return outcome(batch, rows(await self._connection.ask(PREPARED_APPEND, arrays, 5)))


@pytest.fixture
async def server(database: Database) -> AsyncIterator[Server]:
    connection = await WireConnection.open(database.writer)
    yield Server(connection)
    connection.close()


def nothing(stream: str, *, expected: int = 0, is_refusal: bool = False) -> Submission:
    return Submission(uuid4(), uuid4().bytes, b"hash", stream, expected, (), is_refusal=is_refusal)


async def test_all_recorded(server: Server) -> None:
    await server.append(some_events("before", 4))
    result = await server.append(some_events("a", 2), nothing("b"), nothing("c", is_refusal=True), some_events("d", 3))
    assert result == BatchOutcome({0: 5, 1: None, 2: None, 3: 7}, {}, {}, [], [], {})


async def test_a_seen_command_and_the_rest_of_its_stream(server: Server) -> None:
    first = some_events("a", 2)
    await server.append(some_events("before"), first)
    result = await server.append(some_events("b"), first, some_events("a", 1, expected=2))
    assert result.recorded == {0: 4}
    assert result.seen == {1: Seen(b"hash", first.submission, 2, 3)}
    assert result.stale == [2] and set(result.missed) == {"a"}


async def test_a_seen_command_that_had_nothing_to_do(server: Server) -> None:
    first = nothing("a")
    await server.append(first)
    result = await server.append(first)
    assert result.seen == {0: Seen(b"hash", first.submission, None, None)}


async def test_a_refusal_is_not_recorded_and_may_turn_out_stale_or_seen(server: Server) -> None:
    first, refusal = some_events("a"), nothing("a", is_refusal=True)
    await server.append(nothing("a", is_refusal=True))
    await server.append(first)
    assert (await server.append(refusal)).stale == [0]
    assert (await server.append(refusal._replace(expected=1))).recorded == {0: None}
    assert (await server.append(refusal._replace(expected=1))).recorded == {0: None}
    assert (await server.append(first._replace(events=(), is_refusal=True))).seen.keys() == {0}


async def test_a_stale_stream_and_what_it_missed(server: Server) -> None:
    events = [NewEvent(1, "one", b"1"), NewEvent(2, "two", b""), NewEvent(3, "drei", b"\xff")]
    await server.append(Submission(uuid4(), uuid4().bytes, b"", "a", 0, events), some_events("b", 2))
    result = await server.append(
        some_events("b", 1, expected=1), some_events("c"), some_events("a", 1, expected=1), nothing("b", expected=1)
    )
    assert result.recorded == {1: 6}
    assert result.stale == [0, 2, 3]
    assert result.missed == {"a": events[1:], "b": [NewEvent(2, "test.happened.v1", b"{}")]}
    assert not result.is_cut


async def test_a_stream_that_ends_before_the_expected_version_is_stale_too(server: Server) -> None:
    """As in a database restored to an earlier state: our cache is ahead of the log."""
    await server.append(some_events("a", 2))
    result = await server.append(some_events("a", 1, expected=5), some_events("empty", 1, expected=1))
    assert (result.stale, result.missed) == ([0, 1], {})


async def test_what_a_stream_missed_is_told_up_to_a_bound(server: Server) -> None:
    await server.append(some_events("a", MAX_MISSED), some_events("b", 2))
    whole = await server.append(some_events("a", 1, expected=2))
    assert (len(whole.missed["a"]), whole.is_cut) == (MAX_MISSED - 2, False)
    cut = await server.append(some_events("a", 1, expected=0, name="late"), nothing("b", expected=1))
    assert sum(len(missed) for missed in cut.missed.values()) == MAX_MISSED
    assert cut.is_cut


async def test_a_taken_claim(server: Server) -> None:
    await server.append(some_events("a")._replace(claims=[EMAIL]))
    result = await server.append(
        some_events("b")._replace(claims=[Claim("other", b"hash"), EMAIL]), some_events("c"), nothing("b")
    )
    assert (result.recorded, result.claimed, result.stale) == ({1: 2}, {0: "email"}, [2])


async def test_a_busy_stream(database: Database, server: Server) -> None:
    turn = await WireConnection.open(database.writer)
    await turn.ask("BEGIN", [], 5)
    await turn.ask("SELECT pg_advisory_xact_lock(ledger.stream_lock_key($1))", [b"a"], 5)
    result = await server.append(some_events("a"), some_events("b"), nothing("a"))
    assert (result.recorded, result.busy) == ({1: 1}, [0, 2])
    result = await server.append(some_events("a"), some_events("c"), in_turn=frozenset({"a"}))
    assert result.recorded == {0: 2, 1: 3}
    turn.close()


async def test_events_carry_their_command_and_correlation(database: Database, server: Server) -> None:
    correlated = some_events("a", 2)._replace(correlation_id=UUID(int=7))
    plain = some_events("b")
    await server.append(correlated, plain)
    assert database.sql("SELECT command_id, correlation_id FROM ledger.stored_events ORDER BY notification_id") == [
        (correlated.command_id, UUID(int=7)),
        (correlated.command_id, UUID(int=7)),
        (plain.command_id, None),
    ]
