"""What a provider is not sent is told, never left out in silence (docs/reference/rules.md#requests)."""

import httpx
import msgspec
import pytest

from tests.adapters.http.house import MODEL, PER_TOKEN, House, offer
from tests.fakes.scripted_providers import failure, streamed_answer, whole_answer

PATH = "/v1/chat/completions"
HEADER = "x-gatewayz-dropped-params"
ASKED = {
    "model": MODEL,
    "messages": [{"role": "user", "content": "x"}],
    "web_search_options": {},
    "service_tier": "priority",
    "temperature": 1,
}
BOTH_WAYS = pytest.mark.parametrize("stream", [False, True])


@pytest.fixture
def picky(house: House) -> House:
    """Its provider takes neither of two parameters that would change the bill."""
    house.providers.answers[MODEL] = whole_answer()
    house.providers.streams[MODEL] = streamed_answer("Hello")
    house.providers.drops = {"acme": frozenset({"service_tier", "web_search_options", "never_sent"})}
    return house


@BOTH_WAYS
def test_what_was_sent_and_dropped_is_listed(picky: House, http: httpx.Client, stream: bool) -> None:
    answer = http.post(PATH, json={**ASKED, "stream": stream})
    assert answer.headers[HEADER] == "service_tier, web_search_options"


@BOTH_WAYS
def test_an_answer_to_a_request_passed_on_whole_lists_nothing(picky: House, http: httpx.Client, stream: bool) -> None:
    asked = {"model": MODEL, "messages": ASKED["messages"], "temperature": 1, "stream": stream}
    assert HEADER not in http.post(PATH, json=asked).headers


@BOTH_WAYS
def test_it_is_what_the_provider_that_answered_was_not_sent(picky: House, http: httpx.Client, stream: bool) -> None:
    second = msgspec.structs.replace(offer(MODEL, PER_TOKEN), provider="second")
    picky.catalog.add(second)
    picky.providers.down = {"acme"}
    picky.providers.drops["second"] = frozenset({"temperature"})
    assert http.post(PATH, json={**ASKED, "stream": stream}).headers[HEADER] == "temperature"


@BOTH_WAYS
def test_a_retry_with_the_same_idempotency_key_is_told_the_same(picky: House, http: httpx.Client, stream: bool) -> None:
    first, again = (
        http.post(PATH, json={**ASKED, "stream": stream}, headers={"idempotency-key": "once"}) for _ in range(2)
    )
    assert again.headers[HEADER] == first.headers[HEADER]
    assert len(picky.providers.calls) == 1


def test_a_refusal_lists_nothing(picky: House, http: httpx.Client) -> None:
    picky.providers.answers[MODEL] = failure(fails_over=False)
    assert HEADER not in http.post(PATH, json=ASKED).headers
