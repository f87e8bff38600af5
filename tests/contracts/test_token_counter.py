"""What application.ports.token_counter promises."""

from collections.abc import Iterator

import pytest

from adapters.outbound.tokens.worker_counter import WorkerCounter
from application.ports.token_counter import CountedText, TokenCounter
from tests.fakes.no_counter import NoCounter

PORT = TokenCounter
SUBJECTS = {"never free": NoCounter, "worker": WorkerCounter}


@pytest.fixture
def counter(subject: str) -> Iterator[TokenCounter]:
    made = SUBJECTS[subject]()
    yield made
    if isinstance(made, WorkerCounter):
        made.close()


async def test_a_count_is_tokens_and_bytes_or_none(counter: TokenCounter) -> None:
    assert await counter.count(lambda: "hello w\u00f6rld") in (None, CountedText(4, 12))


async def test_a_text_that_cannot_be_read_is_no_error_of_the_caller(counter: TokenCounter) -> None:
    def unreadable() -> str:
        raise ValueError("broken")

    assert await counter.count(unreadable) is None
