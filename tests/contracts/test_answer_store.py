"""What application.ports.answers promises."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import pytest

from adapters.outbound.postgres.read.content import PostgresAnswers
from application.ports.answers import AnswerStore, StoredAnswer
from tests.contracts.ledgers import LedgerAndAnswers, ledger_of, on_credit
from tests.domain.credit_words import NOW, grant
from tests.fakes.memory_ledger import MemoryLedger

PORT = AnswerStore
SUBJECTS = {"memory": MemoryLedger, "postgres": PostgresAnswers}
ENDS_AT = NOW + timedelta(hours=1)


@pytest.fixture
async def world(subject: str, request: pytest.FixtureRequest) -> AsyncIterator[LedgerAndAnswers]:
    async with ledger_of(SUBJECTS[subject], request) as made:
        assert type(made.answers) is SUBJECTS[subject]
        yield made


async def test_an_answer_is_found_until_its_time_is_over(world: LedgerAndAnswers) -> None:
    await on_credit(world.ledger, grant("lot", 100), 7, answer=answer(7, b"sealed"))
    assert await world.answers.find(UUID(int=7), NOW) == b"sealed"
    assert await world.answers.find(UUID(int=7), ENDS_AT) is None
    assert await world.answers.find(UUID(int=8), NOW) is None


async def test_it_is_kept_under_the_command_that_it_came_with_and_never_replaced(world: LedgerAndAnswers) -> None:
    await on_credit(world.ledger, grant("lot", 100), 7, answer=answer(8, b"first"))
    await on_credit(world.ledger, grant("lot", 100), 7, answer=answer(7, b"second"))
    assert await world.answers.find(UUID(int=7), NOW) == b"first"
    assert await world.answers.find(UUID(int=8), NOW) is None


def answer(number: int, sealed: bytes) -> StoredAnswer:
    return StoredAnswer("acct", UUID(int=number), sealed, ENDS_AT)
