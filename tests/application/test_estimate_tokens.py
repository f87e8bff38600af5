"""Without a usage that can be believed, tokens are counted (attack 23, report 22): not guessed from bytes."""

from collections.abc import Callable
from random import Random
from typing import Any

import msgspec
import pytest

from adapters.outbound.tokens.vocabulary import Vocabulary
from application.generate.held import Held
from application.generate.metering.estimate_tokens import MAX_KEPT_BYTES, MeterAnswer
from application.generate.request.read_chat_request import read_body
from application.ports.token_counter import CountedText
from tests.application.test_meter_answer import OFFER, held
from tests.fakes.no_counter import NoCounter

CJK = "".join(map(chr, Random(23).choices(range(0x4E00, 0x9FA0), k=20_000)))
"""Seldom written characters take two tokens and more, though each has three bytes."""

ROOMY = msgspec.structs.replace(OFFER, context_length=1_000_000)


class Counter:
    """As the worker does it, without a thread."""

    def __init__(self) -> None:
        self.vocabulary = Vocabulary()
        self.texts: list[str] = []

    async def count(self, read: Callable[[], str]) -> CountedText | None:
        text = read()
        self.texts.append(text)
        return CountedText(self.vocabulary.count(text), len(text.encode()))


def asking(content: Any, granted: int = 1_000_000) -> Held:
    body = msgspec.json.encode({"model": "a/m", "messages": [{"role": "user", "content": content}]})
    return msgspec.structs.replace(held(), request=read_body(body), offer=ROOMY, granted_tokens=granted)


def whole(text: str) -> list[bytes]:
    return [msgspec.json.encode({"choices": [{"message": {"role": "assistant", "content": text}}]})]


async def test_twenty_thousand_characters_of_another_script_are_counted() -> None:
    counter = Counter()
    metered = await MeterAnswer(counter)(asking(CJK), None, 300, whole("要" * 100))
    tokens = counter.vocabulary.count(CJK)
    assert tokens > 38_000
    assert metered.usage == {"input": tokens, "output": counter.vocabulary.count("要" * 100)}
    assert metered.estimated
    by_bytes = await MeterAnswer(NoCounter())(asking(CJK), None, 300, whole("要" * 100))
    assert by_bytes.usage["output"] == 75
    assert by_bytes.usage["input"] == -(-by_bytes_of(CJK) // 4)


def by_bytes_of(content: str) -> int:
    return asking(content).request.prompt_bytes


async def test_only_the_side_that_was_not_told_is_counted_into_the_charge() -> None:
    counter = Counter()
    metered = await MeterAnswer(counter)(asking(CJK), {"input": 0, "output": 7}, 30, whole("seven words"))
    assert metered.usage == {"input": counter.vocabulary.count(CJK), "output": 7}
    assert metered.estimated


async def test_nothing_is_counted_where_the_usage_is_believed() -> None:
    counter = Counter()
    metered = await MeterAnswer(counter)(asking("hi"), {"input": 9, "output": 2}, 30, whole("fine"))
    assert (metered.usage, metered.estimated, counter.texts) == ({"input": 9, "output": 2}, False, [])


async def test_a_stream_goes_on_as_its_kept_beginning() -> None:
    counter = Counter()
    chunk = msgspec.json.encode({"choices": [{"delta": {"content": "word " * 1_000}}]})
    metered = await MeterAnswer(counter)(asking("hi"), None, 5_000 * 100, [chunk] * (MAX_KEPT_BYTES // len(chunk)))
    assert metered.usage["output"] == pytest.approx(100 * 1_000, rel=0.01)


@pytest.mark.parametrize("said", [[], whole(""), [b"not read"]])
async def test_what_was_produced_and_not_kept_is_estimated_from_its_bytes(said: list[bytes]) -> None:
    metered = await MeterAnswer(Counter())(asking("hi"), None, 4_000, said)
    assert metered.usage["output"] == 1_000


async def test_an_estimate_stays_within_what_was_reserved() -> None:
    metered = await MeterAnswer(Counter())(asking(CJK, granted=10), None, 10**6, whole("word " * 1_000))
    assert metered.usage["output"] == 10
    assert metered.usage["input"] <= by_bytes_of(CJK)


async def test_an_attached_file_is_in_the_estimate_whether_or_not_somebody_counts() -> None:
    pdf = {"type": "file", "file": {"file_data": "data:application/pdf;base64," + "A" * 900_000}}
    request = asking([{"type": "text", "text": "sum up"}, pdf])
    for counter in (Counter(), NoCounter()):
        metered = await MeterAnswer(counter)(request, None, 4, whole("done"))
        assert 18_000 < metered.usage["input"] < 18_200
