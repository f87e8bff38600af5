"""What application.ports.ledger promises."""

import hashlib
from collections.abc import AsyncIterator
from uuid import UUID

import msgspec
import pytest

from adapters.outbound.postgres.append.ledger import PostgresLedger
from application.ports.ledger import Ledger
from domain.claim import Claim
from domain.credit.decider import CREDIT
from domain.errors import DomainError
from tests.contracts.ledgers import ledger_of, on_credit
from tests.domain.credit_words import exactly, grant, reserve
from tests.fakes.memory_ledger import MemoryLedger

PORT = Ledger
SUBJECTS = {"memory": MemoryLedger, "postgres": PostgresLedger}
CLAIM = Claim("email", hashlib.sha256(b"x").digest())


@pytest.fixture
async def ledger(subject: str, request: pytest.FixtureRequest) -> AsyncIterator[Ledger]:
    async with ledger_of(SUBJECTS[subject], request) as made:
        yield made.ledger


async def test_what_was_decided_comes_back_with_its_position(ledger: Ledger) -> None:
    granted = await on_credit(ledger, grant("lot", 100), 1)
    assert (len(granted.events), granted.position, granted.seen_before) == (1, 1, False)
    assert granted.events[0].tag.startswith("credit.granted.")
    held = await on_credit(ledger, reserve("r", exactly(40)), 2)
    assert held.position == 2
    state = await ledger.state_of(CREDIT, "acct")
    assert (state.posted_nusd, state.held_nusd) == (100, 40)
    assert await ledger.state_of(CREDIT, "nobody") == CREDIT.initial


async def test_a_command_id_is_decided_once(ledger: Ledger) -> None:
    first = await on_credit(ledger, grant("lot", 100), 1)
    again = await on_credit(ledger, grant("lot", 100), 1)
    assert again == msgspec.structs.replace(first, seen_before=True)
    with pytest.raises(DomainError) as refusal:
        await on_credit(ledger, grant("lot", 101), 1)
    assert refusal.value.code == "command_id_reused"
    assert (await ledger.state_of(CREDIT, "acct")).posted_nusd == 100


async def test_a_refusal_records_nothing_and_may_be_tried_again(ledger: Ledger) -> None:
    with pytest.raises(DomainError) as refusal:
        await on_credit(ledger, reserve("r", exactly(40)), 1)
    assert refusal.value.code == "insufficient_credits"
    assert await ledger.recall([UUID(int=1)]) == {}
    await on_credit(ledger, grant("lot", 100), 2)
    assert not (await on_credit(ledger, reserve("r", exactly(40)), 1)).seen_before


async def test_what_commands_came_to_is_recalled(ledger: Ledger) -> None:
    granted = await on_credit(ledger, grant("lot", 100), 1)
    recalled = await ledger.recall([UUID(int=1), UUID(int=9)])
    assert list(recalled) == [UUID(int=1)]
    assert (recalled[UUID(int=1)].events, recalled[UUID(int=1)].position) == (granted.events, granted.position)


async def test_a_claim_has_one_holder_until_it_is_released(ledger: Ledger) -> None:
    assert await ledger.holder_of(CLAIM) is None
    await on_credit(ledger, grant("lot", 100), 1, claims=[CLAIM])
    assert await ledger.holder_of(CLAIM) == "credit-acct"
    with pytest.raises(DomainError) as refusal:
        await ledger.transact(CREDIT, "other", grant("lot", 1), command_id=UUID(int=2), claims=[CLAIM])
    assert (refusal.value.code, refusal.value.facts["kind"]) == ("claim_taken", "email")
    assert await ledger.state_of(CREDIT, "other") == CREDIT.initial
    await on_credit(ledger, grant("more", 1), 3, releases=[CLAIM])
    assert await ledger.holder_of(CLAIM) is None
