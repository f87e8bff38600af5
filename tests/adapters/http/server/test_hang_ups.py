"""Clients that leave before the first output of their stream."""

from application.ports.provider_answer import Chunk
from domain.credit.events import Released, Settled
from tests.adapters.http.eventually import eventually
from tests.adapters.http.house import MODEL, House
from tests.adapters.http.served import Served
from tests.adapters.http.sse import RawStream
from tests.fakes.scripted_providers import Stop, streamed_answer, text_chunk

ASKED = {"model": MODEL, "messages": [{"role": "user", "content": "x"}], "stream": True}
BARE = Chunk(data=text_chunk("").data, is_bare=True)
"""A role, and no output."""


def test_a_client_that_hangs_up_after_a_role_alone_is_noticed_at_once(house: House, served: Served) -> None:
    """Nothing was produced, so nothing is charged, and no other provider is asked."""
    house.gateway.inference.stream_chat._read_on_s = 0.05  # else it would be half a minute
    stop = Stop()
    house.providers.streams[MODEL] = [BARE, stop, *streamed_answer("late")]
    stream = RawStream(served.port, house.key, ASKED)
    eventually(lambda: stop.is_reached)
    stream.hang_up()
    eventually(lambda: house.happened(Released))
    assert house.happened(Released)[0].reason == "timed_out"
    assert not house.credit.reservations
    assert len(house.providers.calls) == 1


def test_P1_what_comes_within_the_time_is_charged_after_a_role_alone(house: House, served: Served) -> None:
    stop = Stop()
    house.providers.streams[MODEL] = [BARE, stop, *streamed_answer("late")]
    stream = RawStream(served.port, house.key, ASKED)
    eventually(lambda: stop.is_reached)
    stream.hang_up()
    stop.may_go_on = True
    eventually(lambda: house.happened(Settled))
    assert house.happened(Settled)[0].generation.usage == {"input": 10, "output": 5}
