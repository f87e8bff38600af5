"""Tokens for estimates: exact for the beginning, in a thread of their own, and never a reason to lose a charge."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable

import pytest

from adapters.outbound.tokens.vocabulary import MAX_EXACT_BYTES, PIECE_CHARACTERS, Vocabulary
from adapters.outbound.tokens.worker_counter import MAX_WAITING, WorkerCounter
from application.ports.token_counter import CountedText

ENGLISH = "The quick brown fox jumps over the lazy dog, and nobody minds. "


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return Vocabulary()


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("", 0), ("hello world", 2), ("漢字", 2), ("<|endoftext|>", 7), ("\ud800 half a pair", 4)],
)
def test_a_short_text_is_counted_as_the_vocabulary_has_it(vocabulary: Vocabulary, text: str, tokens: int) -> None:
    assert vocabulary.count(text) == tokens


@pytest.mark.parametrize("text", [ENGLISH * 1_000, "漢字かな交じり文。" * 2_500, "x" * 60_000, " " * 60_000])
def test_cutting_into_pieces_costs_at_most_two_tokens_a_cut(vocabulary: Vocabulary, text: str) -> None:
    whole = len(vocabulary._encoding.encode_ordinary(text))
    assert abs(vocabulary.count(text) - whole) <= 2 * (len(text) // PIECE_CHARACTERS + 1)


@pytest.mark.parametrize("unit", [ENGLISH, "漢字かな交じり文。", "x"])
def test_a_long_text_goes_on_as_it_begins_and_only_its_beginning_is_counted(
    vocabulary: Vocabulary, unit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[int] = []
    encoding = vocabulary._encoding

    class Counting:
        def encode_ordinary(self, text: str) -> list[int]:
            counted.append(len(text.encode()))
            return encoding.encode_ordinary(text)

    monkeypatch.setitem(vocabulary.__dict__, "_encoding", Counting())
    times = 4 * MAX_EXACT_BYTES // len(unit.encode())
    per_unit = len(encoding.encode_ordinary(unit * 1_000)) / 1_000
    assert vocabulary.count(unit * times) == pytest.approx(per_unit * times, rel=0.03)
    assert sum(counted) <= MAX_EXACT_BYTES


WITHOUT_FILES = """
import sys
from adapters.outbound.tokens.vocabulary import Vocabulary

def refuse(event, arguments):
    if event in ("open", "import", "socket.connect"):
        raise PermissionError(f"{event} {arguments}")

sys.addaudithook(refuse)
print(Vocabulary().count("hello world"))
"""


def test_once_its_code_is_loaded_it_reads_no_file_and_fetches_nothing() -> None:
    """It may have left root behind by then."""
    counted = subprocess.run(
        [sys.executable, "-c", WITHOUT_FILES], check=False, capture_output=True, text=True, timeout=60
    )
    assert (counted.stdout, counted.stderr) == ("2\n", "")


class Words:
    """In place of a vocabulary."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    def count(self, text: str) -> int:
        if self.error:
            raise self.error
        return len(text.split())


async def test_it_is_read_and_counted_in_another_thread() -> None:
    threads: list[int] = []

    def read() -> str:
        threads.append(threading.get_ident())
        return "one two dré"

    counter = counter_with(Words())
    assert await counter.count(read) == CountedText(tokens=3, text_bytes=12)
    assert threads and threading.get_ident() not in threads
    counter.close()


async def test_beyond_64_in_line_nobody_waits() -> None:
    counter = counter_with(Words())
    may_go_on = threading.Event()
    waiting = [asyncio.create_task(counter.count(held_until(may_go_on))) for _ in range(MAX_WAITING)]
    await asyncio.sleep(0)
    try:
        async with asyncio.timeout(5):
            assert await counter.count(lambda: "a b") is None
    finally:
        may_go_on.set()
    assert await asyncio.gather(*waiting) == [CountedText(1, 5)] * MAX_WAITING
    assert await counter.count(lambda: "a b") == CountedText(2, 3)
    counter.close()


@pytest.mark.parametrize("error", [ValueError("broken"), MemoryError(), RecursionError()])
async def test_what_cannot_be_counted_is_told_and_lost_to_nobody(error: Exception) -> None:
    counter = counter_with(Words(error))
    assert await counter.count(lambda: "a b") is None
    counter.close()
    assert await counter.count(lambda: "a b") is None  # closed


def counter_with(vocabulary: Words) -> WorkerCounter:
    return WorkerCounter(vocabulary)  # type: ignore[arg-type]


def held_until(event: threading.Event) -> Callable[[], str]:
    def read() -> str:
        assert threading.current_thread() is not threading.main_thread()
        event.wait(10)
        return "words"

    return read
