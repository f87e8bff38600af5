"""Streams: what is sent before and after the settle, silence, failures in the middle, clients that go away."""

import asyncio
import gc
import json
from typing import Any

import httpx
import openai
import pytest
from starlette.types import Receive, Scope, Send

from adapters.inbound.http.gateway import Limits
from application.generate.reserve_credit import Deadlines
from application.generate.stream_chat import ChatStream
from domain.credit.commands import Settle
from domain.credit.events import Released, Settled
from tests.adapters.http.eventually import eventually
from tests.adapters.http.house import MODEL, House
from tests.adapters.http.served import Served
from tests.adapters.http.sse import RawStream, events_of
from tests.fakes.scripted_providers import Stop, failure, last_chunk, streamed_answer, text_chunk, usage_chunk

ASKED = {"model": MODEL, "messages": [{"role": "user", "content": "x"}], "stream": True}
QUICK = Limits(keep_alive_s=0.05, stall_s=0.15)


def test_P1_the_chunk_with_the_finish_reason_waits_for_the_settle(house: House, served: Served) -> None:
    house.ledger.held_back.add(Settle)
    house.providers.streams[MODEL] = streamed_answer("Hello")
    stream = RawStream(served.port, house.key, ASKED)
    stream.read_until(b'"content":"Hello"')
    eventually(lambda: house.providers.closed)
    assert b'"finish_reason":"stop"' not in stream.read_what_is_there()
    assert not house.happened(Settled)
    house.ledger.held_back.clear()
    assert b'"finish_reason":"stop"' in stream.read_to_end()
    assert len(house.happened(Settled)) == 1


def test_chunks_leave_one_by_one_as_they_come(house: House, served: Served) -> None:
    stop = Stop()
    house.providers.streams[MODEL] = [text_chunk("one"), stop, text_chunk("two"), last_chunk(), usage_chunk()]
    stream = RawStream(served.port, house.key, ASKED)
    stream.read_until(b'"content":"one"')
    eventually(lambda: stop.is_reached)
    assert b'"content":"two"' not in stream.received
    stop.may_go_on = True
    assert stream.read_to_end().count(b"data: ") == 5


def test_a_stream_that_has_ended_is_freed_without_the_cycle_collector(house: House, http: httpx.Client) -> None:
    """Else it keeps its chunks, and a thousand of them at a time are a pause for everybody else's."""
    house.providers.streams[MODEL] = streamed_answer("Hello")
    gc.collect()
    gc.disable()
    others = {id(held) for held in gc.get_objects() if isinstance(held, ChatStream)}
    try:
        for _ in range(5):
            assert http.post("/v1/chat/completions", json=ASKED).status_code == 200
        eventually(
            lambda: not any(isinstance(held, ChatStream) and id(held) not in others for held in gc.get_objects())
        )
    finally:
        gc.enable()


def test_the_headers_of_a_stream(house: House, http: httpx.Client) -> None:
    house.providers.streams[MODEL] = streamed_answer("Hello")
    answer = http.post("/v1/chat/completions", json=ASKED)
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    (settled,) = house.happened(Settled)
    assert answer.headers["x-generation-id"] == f"gen-{settled.reservation_id}"
    assert answer.headers["x-gatewayz-position"].startswith("0-")
    *_, usage, done = events_of(answer.text)
    assert done == "[DONE]"
    assert '"cost":0.00002,' in usage


def test_a_provider_that_breaks_off_ends_the_stream_with_an_error_and_its_cost(
    house: House, http: httpx.Client
) -> None:
    house.providers.streams[MODEL] = [text_chunk("Hello"), failure("connection_broken", 0)]
    *_, last = events_of(http.post("/v1/chat/completions", json=ASKED).text)
    told = json.loads(last)
    assert told["error"]["code"] == "connection_broken"
    assert told["usage"]["cost"] > 0
    assert house.happened(Settled)[0].generation.estimated


def test_the_sdk_raises_what_a_stream_tells_in_the_middle(house: House, client: openai.OpenAI) -> None:
    house.providers.streams[MODEL] = [text_chunk("Hello"), failure("connection_broken", 0)]
    stream = client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "x"}], stream=True)
    with pytest.raises(openai.APIError, match="broke off"):
        list(stream)


def test_a_failure_before_the_first_chunk_is_a_plain_answer(house: House, http: httpx.Client) -> None:
    house.providers.streams[MODEL] = [failure("server_error", 500)]
    answer = http.post("/v1/chat/completions", json=ASKED)
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "provider_error")
    assert len(house.happened(Released)) == 1


def test_a_provider_that_takes_too_long_is_504(house: House, http: httpx.Client) -> None:
    house.providers.streams[MODEL] = [failure("timed_out", 0)]
    answer = http.post("/v1/chat/completions", json=ASKED)
    assert (answer.status_code, answer.json()["error"]["code"]) == (504, "deadline_exceeded")


@pytest.fixture
def unsettled(served: Served, monkeypatch: pytest.MonkeyPatch) -> House:
    """Settles are held back, and nobody waits for them longer than a moment."""
    monkeypatch.setattr("application.generate.settle_charge.MIN_SETTLE_PATIENCE_S", 0.05)
    house = House(deadlines=Deadlines(request_s=0.1, stream_s=0.1, grace_s=60, reserve_patience_s=5))
    served.app = house.app
    house.ledger.held_back.add(Settle)
    house.providers.streams[MODEL] = streamed_answer("Hello")
    return house


def test_P1_a_settle_that_does_not_come_in_time_withholds_the_end(unsettled: House, served: Served) -> None:
    received = RawStream(served.port, unsettled.key, ASKED).read_to_end()
    assert b'"code":"settlement_pending"' in received
    assert b"[DONE]" not in received
    assert b'"finish_reason":"stop"' not in received
    unsettled.ledger.held_back.clear()
    eventually(lambda: unsettled.happened(Settled))


def test_an_unknown_fault_in_the_middle_is_told_without_its_words(house: House, served: Served) -> None:
    house.ledger.failing[Settle] = RuntimeError("the secret is 42")
    house.providers.streams[MODEL] = streamed_answer("Hello")
    received = RawStream(served.port, house.key, ASKED).read_to_end()
    assert b'"code":"internal_error"' in received
    assert b"[DONE]" not in received
    assert b"secret" not in received


def test_silence_is_filled_with_comments(served: Served) -> None:
    house = House(limits=QUICK)
    served.app = house.app
    stop = Stop()
    house.providers.streams[MODEL] = [text_chunk("one"), stop, *streamed_answer("two")]
    stream = RawStream(served.port, house.key, ASKED)
    stream.read_until(b": keep-alive\n\n")
    stop.may_go_on = True
    assert b"[DONE]" in stream.read_to_end()


def test_a_model_that_thinks_before_its_first_chunk_keeps_the_connection(served: Served) -> None:
    house = House(limits=QUICK)
    served.app = house.app
    stop = Stop()
    house.providers.streams[MODEL] = [stop, *streamed_answer("two")]
    stream = RawStream(served.port, house.key, ASKED)
    assert stream.read_until(b": keep-alive\n\n").startswith(b"HTTP/1.1 200 OK")
    stop.may_go_on = True
    assert b"[DONE]" in stream.read_to_end()


def test_a_failure_after_such_a_wait_is_told_as_an_event(served: Served) -> None:
    house = House(limits=QUICK)
    served.app = house.app
    stop = Stop()
    house.providers.streams[MODEL] = [stop, failure("server_error", 500)]
    stream = RawStream(served.port, house.key, ASKED)
    stream.read_until(b": keep-alive\n\n")
    stop.may_go_on = True
    assert b'"code":"provider_error"' in stream.read_to_end()
    assert not house.credit.reservations


def test_P1_a_client_that_hangs_up_pays_for_what_was_produced(house: House, served: Served) -> None:
    stop = Stop()
    house.providers.streams[MODEL] = [text_chunk("Hello"), stop, *streamed_answer("more")]
    stream = RawStream(served.port, house.key, ASKED)
    stream.read_until(b"Hello")
    stream.hang_up()
    stop.may_go_on = True
    eventually(lambda: house.happened(Settled))
    (settled,) = house.happened(Settled)
    assert settled.generation.usage == {"input": 10, "output": 5}
    assert not house.credit.reservations


def test_a_provider_that_goes_on_for_ever_is_left_soon_after_its_client(house: House, served: Served) -> None:
    house.gateway.inference.stream_chat._read_on_s = 0.05  # else it would be half a minute
    stop = Stop()
    house.providers.streams[MODEL] = [text_chunk("Hello"), stop]
    stream = RawStream(served.port, house.key, ASKED)
    stream.read_until(b"Hello")
    eventually(lambda: stop.is_reached)
    stream.hang_up()
    eventually(lambda: house.happened(Settled))
    assert house.happened(Settled)[0].generation.cancelled


def test_a_client_that_hangs_up_while_its_charge_is_settled_disturbs_nothing(house: House, served: Served) -> None:
    house.ledger.held_back.add(Settle)
    house.providers.streams[MODEL] = streamed_answer("Hello")
    stream = RawStream(served.port, house.key, ASKED)
    stream.read_until(b"Hello")
    eventually(lambda: house.providers.closed)
    stream.hang_up()
    house.ledger.held_back.clear()
    eventually(lambda: house.happened(Settled))


def test_a_client_that_takes_nothing_counts_as_gone(served: Served) -> None:
    house = House(limits=QUICK)
    served.app = house.app
    flood = text_chunk("x" * 1_000_000)
    house.providers.streams[MODEL] = [*[flood] * 30, last_chunk(), usage_chunk()]
    stream = RawStream(served.port, house.key, ASKED, receive_buffer=4_096)
    eventually(lambda: house.happened(Settled))
    assert house.happened(Settled)[0].generation.cancelled
    stream.hang_up()


def test_P1_a_stream_that_outlasts_the_drain_is_charged_for_what_it_produced(house: House, served: Served) -> None:
    """The server then cancels the tasks of its requests."""
    app: Any = house.app
    tasks: list[Any] = []

    async def noting_its_task(scope: Scope, receive: Receive, send: Send) -> None:
        tasks.append((asyncio.get_running_loop(), asyncio.current_task()))
        await app(scope, receive, send)

    served.app = noting_its_task
    stop = Stop()
    house.providers.streams[MODEL] = [text_chunk("Hello"), stop]
    stream = RawStream(served.port, house.key, ASKED)
    stream.read_until(b"Hello")
    eventually(lambda: stop.is_reached)
    loop, task = tasks[0]
    loop.call_soon_threadsafe(task.cancel)
    received = stream.read_to_end()
    assert b'"code":"shutting_down"' in received
    assert b'"cost":' in received
    assert house.happened(Settled)[0].paid_nusd > 0
    assert not house.credit.reservations
