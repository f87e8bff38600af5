"""How long a request took is measured by the Clock's elapsed time: not by the loop's, nor by differences of dates."""

import itertools
from datetime import timedelta

import httpx
import pytest

from domain.credit.events import Settled
from tests.adapters.http.house import MODEL, House
from tests.adapters.http.served import Served
from tests.fakes.movable_clock import MovableClock
from tests.fakes.scripted_providers import streamed_answer, whole_answer

PATH = "/v1/chat/completions"
ASKED = {"model": MODEL, "messages": [{"role": "user", "content": "x"}]}


@pytest.mark.parametrize("stream", [False, True])
def test_latencies_are_the_clocks_elapsed_time(
    house: House, http: httpx.Client, served: Served, monkeypatch: pytest.MonkeyPatch, stream: bool
) -> None:
    hours = itertools.count()
    monkeypatch.setattr(MovableClock, "elapsed_s", lambda clock: 3_600.0 * next(hours))
    other = House()
    served.app = other.app
    other.providers.answers[MODEL], other.providers.streams[MODEL] = whole_answer(), streamed_answer("Hello")
    headers = {"authorization": f"Bearer {other.key}"}
    http.post(PATH, json={**ASKED, "stream": stream}, headers=headers)
    (settled,) = other.happened(Settled)
    assert settled.generation.ttft_ms >= 3_600_000
    assert settled.generation.total_ms > settled.generation.ttft_ms


def test_a_clock_that_is_set_back_makes_no_latency_negative(
    house: House, http: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    complete = house.providers.complete

    async def after_the_clock_was_set(call: object) -> object:
        house.clock.ahead = timedelta(seconds=-5)
        return await complete(call)  # type: ignore[arg-type]

    monkeypatch.setattr(house.providers, "complete", after_the_clock_was_set)
    house.providers.answers[MODEL] = whole_answer()
    http.post(PATH, json=ASKED)
    (settled,) = house.happened(Settled)
    assert 0 <= settled.generation.ttft_ms <= settled.generation.total_ms < 5_000
