"""A little credit buys a little, however many ask at once and whatever they name (P2)."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import msgspec
import pytest

from domain.credit.events import Reserved, Settled, ShortfallRecorded
from domain.money import parse_usd
from tests.adapters.http.conftest import speaker
from tests.adapters.http.eventually import eventually
from tests.adapters.http.house import PER_TOKEN, House, offer
from tests.adapters.http.served import Served
from tests.fakes.scripted_providers import Stop, whole_answer

MODEL = "acme/reads-all"
PATH = "/v1/chat/completions"
REQUESTS = 60

NAMED = [
    {"type": "file", "file": {"filename": "a.pdf", "file_data": "https://x.example/800-pages.pdf"}},
    {"type": "video_url", "video_url": {"url": "https://x.example/a.mp4"}},
    {"type": "audio_url", "audio_url": {"url": "https://x.example/a.wav"}},
    {"type": "image_url", "image_url": {"url": "data:video/mp4;base64,AAAA"}},
    {"type": "hologram", "hologram": "https://x.example/a"},
]


@pytest.mark.parametrize("part", NAMED, ids=lambda part: str(part["type"]))
def test_p2_five_cents_never_buy_more_than_five_cents(served: Served, part: dict[str, Any]) -> None:
    """All ask while nobody has been answered; each is then told the whole context as its prompt."""
    house = House()
    served.app = house.app
    reads_all = msgspec.structs.replace(
        offer(MODEL, PER_TOKEN), input_modalities=("text", "image", "file", "video", "audio")
    )
    house.catalog.add(reads_all)
    house.hold_all_but("0.05")
    stop = Stop()
    house.providers.answers[MODEL] = stop
    asked = {"model": MODEL, "messages": [{"role": "user", "content": [part]}], "max_tokens": 16}
    with ThreadPoolExecutor(REQUESTS) as pool, speaker(served, house.key) as client:
        answers = [pool.submit(client.post, PATH, json=asked) for _ in range(REQUESTS)]
        eventually(lambda: len(house.providers.calls) == 6)
        house.providers.answers[MODEL] = whole_answer(usage={"input": reads_all.context_length, "output": 16})
        stop.may_go_on = True
        statuses = [answer.result(30).status_code for answer in answers]
    settled = [event.paid_nusd for event in house.happened(Settled)]
    assert house.happened(ShortfallRecorded) == []
    assert sum(settled) <= parse_usd("0.05")
    assert sorted(set(statuses)) == [200, 402]
    assert len(settled) == statuses.count(200) == len(house.happened(Reserved)) - 1


def test_a_model_that_is_not_known_to_take_it_is_not_even_reserved_on(house: House, http: httpx.Client) -> None:
    house.catalog.add(offer(MODEL, PER_TOKEN))
    asked = {"model": MODEL, "messages": [{"role": "user", "content": [NAMED[0]]}]}
    answer = http.post(PATH, json=asked)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "messages[0].content[0]")
    assert house.happened(Reserved) == []


def test_tools_that_are_not_passed_on_are_told(house: House, http: httpx.Client) -> None:
    house.providers.answers["acme/m"] = whole_answer()
    tools = [{"type": "function", "function": {"name": "f"}}, {"type": "code_interpreter"}]
    asked = {"model": "acme/m", "messages": [{"role": "user", "content": "x"}], "tools": tools, "max_tokens": 16}
    assert http.post(PATH, json=asked).headers["x-gatewayz-dropped-params"] == "tools[1]"
    assert b"code_interpreter" not in b"".join(bytes(value) for _, value in house.providers.calls[0].members)
