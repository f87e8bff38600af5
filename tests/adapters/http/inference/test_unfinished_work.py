"""Work that a provider did and nobody paid: written down, charged where the row says so, and bounded per account."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import httpx
import msgspec
import pytest

from application.generate import weigh_silence
from application.generate.reserve_credit import Deadlines
from domain.credit.events import Released, Reserved, Settled, WorkUnpaid
from domain.credit.unpaid import UnpaidLimit
from domain.money import format_usd
from tests.adapters.http.conftest import speaker
from tests.adapters.http.eventually import eventually
from tests.adapters.http.house import FLAT, MODEL, PER_TOKEN, House, offer
from tests.adapters.http.served import Served
from tests.adapters.http.sse import RawStream
from tests.fakes.scripted_providers import (
    Stop,
    bare_chunk,
    failure,
    last_chunk,
    streamed_answer,
    text_chunk,
    usage_chunk,
)

WHOLE = {"model": MODEL, "max_tokens": 1_000, "messages": [{"role": "user", "content": "x" * 400}]}
STREAMED = {**WHOLE, "stream": True}
OUTPUT_NUSD = 2_000
"""A token of MODEL's output."""

READ_ON_S = 0.3
QUICK = Deadlines(request_s=0.4, stream_s=0.4, grace_s=60, reserve_patience_s=5)


@pytest.fixture(autouse=True)
def pauses_are_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weigh_silence, "SILENCE_S", 0.1)


@pytest.fixture
def house(served: Served) -> House:
    return housed(served, read_on_s=READ_ON_S)


def housed(served: Served, **settings: Any) -> House:
    house = House(**settings)
    served.app = house.app
    return house


@pytest.fixture
def http(house: House, served: Served) -> Iterator[httpx.Client]:
    with speaker(served, house.key) as client:
        yield client


def reasoning(house: House, tokens_per_s: int) -> None:
    """MODEL's row says that it thinks at this speed."""
    thinking = msgspec.structs.replace(offer(MODEL, PER_TOKEN), reasoning_tokens_per_s=tokens_per_s)
    house.catalog.replace(thinking)


def leave(house: House, served: Served, *steps: Any, said: bytes = b"") -> Any:
    """Hang up once the provider's script, after `said`, has come to a silence; returns how the reservation ended."""
    silence = Stop()
    house.providers.streams[MODEL] = [*steps, silence]
    ended = len(house.happened(Settled, Released))
    stream = RawStream(served.port, house.key, STREAMED)
    stream.read_until(said)
    eventually(lambda: silence.is_reached)
    stream.hang_up()
    eventually(lambda: len(house.happened(Settled, Released)) > ended)
    assert not house.credit.reservations
    return house.happened(Settled, Released)[-1]


def unpaid_work(house: House) -> list[WorkUnpaid]:
    return house.happened(WorkUnpaid)


# ---- a stream that its client left


def test_a_stream_left_in_silence_says_what_its_provider_presumably_charges_for_it(
    house: House, served: Served
) -> None:
    settled = leave(house, served, text_chunk("Hello"), said=b"Hello")
    (work,) = unpaid_work(house)
    assert (work.reservation_id, work.cause) == (settled.reservation_id, "abandoned")
    tokens = work.presumed_nusd / OUTPUT_NUSD
    assert READ_ON_S * 100 <= tokens < 3 * READ_ON_S * 100
    assert settled.generation.usage["output"] == 2, "only what went by is charged"


def test_one_left_before_its_first_output_is_not_read_for_ever_and_its_prompt_counts_too(
    house: House, served: Served
) -> None:
    house.catalog.add(msgspec.structs.replace(offer(MODEL, PER_TOKEN), provider="second"))
    released = leave(house, served, bare_chunk())
    assert isinstance(released, Released)
    (work,) = unpaid_work(house)
    prompt_nusd = 1_000 * 100
    assert work.cause == "abandoned"
    assert prompt_nusd + READ_ON_S * 100 * OUTPUT_NUSD <= work.presumed_nusd <= released.reserved_nusd
    assert len(house.providers.calls) == 1, "no other provider is asked for somebody who has gone"
    assert house.providers.closed == 1
    assert house.telemetry.failures == [], "that the client went is no provider's failure"


def test_one_whose_provider_has_not_even_sent_a_head_is_left_too(house: House, served: Served) -> None:
    """Its headers may come with the first token."""
    thinking = Stop()
    house.providers.slow_heads[MODEL] = thinking
    house.providers.streams[MODEL] = streamed_answer("Hello")
    stream = RawStream(served.port, house.key, STREAMED)
    eventually(lambda: thinking.is_reached)
    stream.hang_up()
    eventually(lambda: house.happened(Released))
    assert [work.cause for work in unpaid_work(house)] == ["abandoned"]


def test_pauses_in_the_middle_are_silence_as_well(house: House, served: Served) -> None:
    """Two pauses, and the reading on after the client went."""
    pause, again, end = Stop(), Stop(), Stop()
    house.providers.streams[MODEL] = [pause, text_chunk("one"), again, text_chunk("two"), end]
    stream = RawStream(served.port, house.key, STREAMED)
    for stop in (pause, again):
        eventually(partial(getattr, stop, "is_reached"))
        stream.read_what_is_there(0.3)
        stop.may_go_on = True
    stream.read_until(b"two")
    stream.hang_up()
    eventually(lambda: unpaid_work(house))
    (work,) = unpaid_work(house)
    assert work.presumed_nusd >= (READ_ON_S + 2 * 0.3) * 100 * OUTPUT_NUSD


def test_where_text_went_by_until_the_end_nothing_is_presumed(
    house: House, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weigh_silence, "SILENCE_S", 1.0)
    leave(house, served, text_chunk("Hello"), said=b"Hello")
    assert unpaid_work(house) == []


def test_where_the_usage_was_told_nothing_is_presumed(house: House, served: Served) -> None:
    settled = leave(house, served, text_chunk("Hello"), usage_chunk(), said=b"Hello")
    assert not settled.generation.estimated
    assert unpaid_work(house) == []


def test_an_answer_that_ended_is_not_unfinished(house: House, served: Served) -> None:
    leave(house, served, text_chunk("Hello"), last_chunk(), said=b"Hello")
    assert unpaid_work(house) == []


def test_a_model_that_reasons_is_charged_for_the_time_it_ran(house: House, served: Served) -> None:
    reasoning(house, 1_000)
    settled = leave(house, served, text_chunk("Hello"), said=b"Hello")
    generation = settled.generation
    assert READ_ON_S * 1_000 <= generation.usage["output"] < 1_000
    assert (generation.estimated, generation.cancelled, settled.shortfall_nusd) == (True, True, 0)
    assert unpaid_work(house) == []


def test_it_is_charged_within_the_reservation(house: House, served: Served) -> None:
    reasoning(house, 1_000_000)
    settled = leave(house, served, bare_chunk())
    assert settled.generation.usage["output"] == 1_000
    assert settled.paid_nusd <= settled.reserved_nusd
    assert unpaid_work(house) == []


# ---- past the deadline


def test_a_whole_answer_past_its_deadline_is_not_charged_but_all_that_was_held_may_be_due(
    house: House, http: httpx.Client
) -> None:
    reasoning(house, 1_000)
    house.providers.answers[MODEL] = failure("timed_out", 0)
    assert http.post("/v1/chat/completions", json=WHOLE).status_code == 504
    (released,) = house.happened(Released)
    (work,) = unpaid_work(house)
    assert (work.presumed_nusd, work.cause) == (released.reserved_nusd, "timed_out")
    assert house.happened(Settled) == []


def test_a_provider_that_gave_up_by_itself_is_not_presumed_to_charge(house: House, http: httpx.Client) -> None:
    for status in (408, 504):
        house.providers.answers[MODEL] = failure("timed_out", status)
        http.post("/v1/chat/completions", json=WHOLE)
    assert (len(house.happened(Released)), unpaid_work(house)) == (2, [])


@pytest.mark.parametrize("said", ["", "Hello"])
def test_a_stream_past_its_deadline_is_not_charged_for_its_silence(served: Served, said: str) -> None:
    house = housed(served, deadlines=QUICK)
    reasoning(house, 1_000)
    house.providers.streams[MODEL] = [text_chunk(said) if said else bare_chunk(), Stop()]
    with speaker(served, house.key) as client:
        client.post("/v1/chat/completions", json=STREAMED)
    (work,) = unpaid_work(house)
    assert work.cause == "timed_out"
    assert work.presumed_nusd >= QUICK.stream_s * 1_000 * OUTPUT_NUSD * 0.9
    assert sum(settled.generation.usage["output"] for settled in house.happened(Settled)) == (2 if said else 0)


# ---- the limit


def test_p2_a_loop_of_abandoned_streams_is_refused_once_they_come_to_the_limit(served: Served) -> None:
    house = housed(served, read_on_s=READ_ON_S, unpaid_limit=UnpaidLimit(200_000, 0))
    loops = 0
    while not refusal_of(house, served):
        leave(house, served, text_chunk("Hello"), said=b"Hello")
        loops += 1
        assert loops < 10
    assert 200_000 < sum(work.presumed_nusd for work in unpaid_work(house)) < 200_000 + 3 * READ_ON_S * 200_000


def refusal_of(house: House, served: Served, path: str = "/v1/chat/completions") -> httpx.Response | None:
    """Of a request that is free of any risk."""
    house.providers.streams[MODEL] = streamed_answer("Hello")
    with speaker(served, house.key) as client:
        answer = client.post(path, json=STREAMED)
    return None if answer.status_code == 200 else answer


def test_p2_beyond_the_limit_nothing_is_reserved_or_called(served: Served) -> None:
    house = housed(served, unpaid_limit=UnpaidLimit(1_000_000, 0))
    house.providers.answers[MODEL] = failure("timed_out", 0)
    with speaker(served, house.key) as client:
        assert client.post("/v1/chat/completions", json=WHOLE).status_code == 504
        before = len(house.happened(Reserved)), len(house.providers.calls)
        for path in ("/v1/chat/completions", "/api/v1/chat/completions"):
            for asked in (WHOLE, STREAMED, {**WHOLE, "model": FLAT}):
                check_refused(house, client.post(path, json=asked), path)
    assert (len(house.happened(Reserved)), len(house.providers.calls)) == before


def check_refused(house: House, refused: httpx.Response, path: str) -> None:
    error = refused.json()["error"]
    (work,) = unpaid_work(house)
    code, metadata = error["code"], error["metadata"]
    if path.startswith("/api"):
        assert (code, metadata["error_type"]) == (429, "rate_limit_exceeded")
        code = metadata["code"]
    assert (refused.status_code, code) == (429, "unfinished_work_limit")
    assert (metadata["unpaid_usd"], metadata["limit_usd"]) == (format_usd(work.presumed_nusd), "0.001")
    assert 30 * 86_400 <= int(refused.headers["retry-after"]) <= 31 * 86_400
    assert refused.headers["x-should-retry"] == "false"
    assert metadata["resets_at"] in error["message"]


def test_an_idempotency_key_whose_request_timed_out_is_free_but_counts(served: Served) -> None:
    house = housed(served, unpaid_limit=UnpaidLimit(3_000_000, 0))
    house.providers.answers[MODEL] = failure("timed_out", 0)
    with speaker(served, house.key) as client:
        again = [
            client.post("/v1/chat/completions", json=WHOLE, headers={"idempotency-key": "k"}).status_code
            for _ in range(3)
        ]
    assert again == [504, 504, 429]
