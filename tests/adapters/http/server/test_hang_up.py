"""A streamed answer learns that its client went, whenever that is, and without a task that waits for it."""

import asyncio

import pytest
from starlette.types import Message

from adapters.inbound.http.edge.addresses import Addresses
from adapters.inbound.http.edge.connections import Connection, Connections
from adapters.inbound.http.errors.envelopes import OPENAI
from adapters.inbound.http.gateway import Limits
from adapters.inbound.http.server.reply import Reply
from adapters.inbound.http.server.stream_reply import StreamReply


async def never() -> Message:
    await asyncio.Event().wait()
    raise AssertionError


async def hung_up() -> Message:
    return {"type": "http.disconnect"}


async def nowhere(message: Message) -> None:
    pass


@pytest.fixture
def connection() -> Connection:
    connections = Connections(limit=8, per_address=8, addresses=Addresses())
    return connections.open(
        "203.0.113.9",
        close=lambda: None,
    )


def streamed(connection: Connection | None) -> StreamReply:
    receive = never if connection else hung_up
    return StreamReply(Reply(nowhere, "req-1", OPENAI, ()), receive, connection, Limits(), lambda: 7.0)


async def test_who_goes_while_it_is_served_is_noticed_at_once(connection: Connection) -> None:
    events, gone = streamed(connection), list[float]()
    before = len(asyncio.all_tasks())
    events.when_gone(gone.append)
    assert (gone, len(asyncio.all_tasks())) == ([], before)
    connection.lost()
    assert gone == [7.0]
    events.stop()


async def test_who_went_before_the_answer_was_begun_is_noticed_too(connection: Connection) -> None:
    connection.lost()
    events, gone = streamed(connection), list[float]()
    events.when_gone(gone.append)
    assert gone == [7.0]
    events.stop()


async def test_the_next_request_on_the_connection_is_not_the_first_one_s_business(connection: Connection) -> None:
    first, gone_first = streamed(connection), list[float]()
    first.when_gone(gone_first.append)
    first.stop()
    second, gone_second = streamed(connection), list[float]()
    second.when_gone(gone_second.append)
    first.stop()
    connection.lost()
    assert (gone_first, gone_second) == ([], [7.0])
    second.stop()


async def test_under_another_server_a_task_waits_for_the_message() -> None:
    events, gone = streamed(None), list[float]()
    events.when_gone(gone.append)
    await asyncio.sleep(0.01)
    assert gone == [7.0]
    events.stop()
