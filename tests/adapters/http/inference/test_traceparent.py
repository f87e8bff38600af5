"""A client's trace context reaches the spans of its request."""

import httpx
import pytest

from tests.adapters.http.house import MODEL, House
from tests.fakes.scripted_providers import streamed_answer, whole_answer

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.mark.parametrize("stream", [False, True])
def test_the_trace_that_a_client_names_is_joined(house: House, http: httpx.Client, stream: bool) -> None:
    house.providers.answers[MODEL] = whole_answer()
    house.providers.streams[MODEL] = streamed_answer("Hello")
    asked = {"model": MODEL, "messages": [{"role": "user", "content": "x"}], "stream": stream}
    http.post("/v1/chat/completions", json=asked)
    assert house.telemetry.joined == []
    http.post("/v1/chat/completions", json=asked, headers={"traceparent": TRACEPARENT})
    assert house.telemetry.joined == [TRACEPARENT]
