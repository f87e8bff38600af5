"""P5: a command id stands for one command, for ever, on any number of processes."""

import asyncio
from uuid import UUID

import pytest

from application.ports.answers import StoredAnswer
from domain.account.account import ACCOUNT, ChangeState, Open
from domain.credit.decider import CREDIT
from domain.errors import DomainError
from tests.domain.credit_words import DAY, NOW, grant, hold, release, settle
from tests.rigs.databases import Database
from tests.rigs.postgres.ledgers import code_of, credit, credit_of, processes, running, tags_of


async def test_the_same_command_again_returns_its_first_result(database: Database) -> None:
    async with running(database.writer) as ledger:
        first = await credit(ledger, "a", grant("lot", 100))
        await credit(ledger, "a", hold("r", 10))
        again = await credit(ledger, "a", grant("lot", 100))
    assert (again.events, again.position, again.seen_before) == (first.events, 1, True)
    assert first.seen_before is False
    assert tags_of(database, "credit-a") == ["credit.granted.v2", "credit.reserved.v2"]


async def test_a_retry_at_another_time_is_the_same_command(database: Database) -> None:
    async with running(database.writer) as ledger:
        first = await credit(ledger, "a", grant("lot", 100), "grant")
        again = await credit(ledger, "a", grant("lot", 100, at=NOW + DAY), "grant")
    assert again.events == first.events


async def test_another_command_under_a_used_id_is_refused(database: Database) -> None:
    async with running(database.writer) as ledger:
        await credit(ledger, "a", grant("lot", 100), "grant")
        assert await code_of(credit(ledger, "a", grant("lot", 101), "grant")) == "command_id_reused"
        assert await code_of(credit(ledger, "b", grant("lot", 101), "grant", input_hash=b"")) == ""
    assert credit_of(database, "a").posted_nusd == 100


async def test_another_process_knows_the_command_too(database: Database) -> None:
    async with processes(database) as (one, other):
        first = await credit(one, "a", grant("lot", 100), "grant")
        again = await credit(other, "a", grant("lot", 100), "grant")
        assert await code_of(credit(other, "a", grant("lot", 7), "grant")) == "command_id_reused"
    assert (again.events, again.position, again.seen_before) == (first.events, first.position, True)


async def test_twice_at_once_on_one_process_is_once(database: Database) -> None:
    """Both wait in one queue: they would meet in one batch."""
    async with running(database.writer) as ledger:
        results = await asyncio.gather(*(credit(ledger, "a", grant("lot", 100), "grant") for _ in range(5)))
    assert sorted(r.seen_before for r in results) == [False, True, True, True, True]
    assert {(r.events, r.position) for r in results} == {(results[0].events, 1)}
    assert credit_of(database, "a").posted_nusd == 100


async def test_twice_at_once_on_two_processes_is_once(database: Database) -> None:
    async with processes(database) as ledgers:
        for n in range(30):
            results = await asyncio.gather(*(credit(each, "a", grant(f"lot{n}", 1), f"grant{n}") for each in ledgers))
            assert sorted(r.seen_before for r in results) == [False, True]
            assert results[0].events == results[1].events
    assert credit_of(database, "a").posted_nusd == 30


async def test_two_inputs_under_one_id_at_once_one_wins_the_other_is_told(database: Database) -> None:
    async with processes(database) as ledgers:
        for n in range(20):
            codes = await asyncio.gather(
                *(code_of(credit(each, "a", grant(f"{n}-{i}", 1), f"id{n}")) for i, each in enumerate(ledgers * 2))
            )
            assert sorted(codes) == ["", *["command_id_reused"] * 3]
    assert credit_of(database, "a").posted_nusd == 20


async def test_a_repeated_reserve_gets_its_reservation_though_the_credit_is_gone(database: Database) -> None:
    """A refusal is final only after its command id was looked up: by now `decide` would refuse this one."""
    async with processes(database) as (one, other):
        await credit(one, "a", grant("lot", 100))
        first = await credit(one, "a", hold("r1", 100))
        assert await code_of(credit(one, "a", hold("r2", 1))) == "insufficient_credits"
        for ledger in (one, other):
            assert (await credit(ledger, "a", hold("r1", 100))).events == first.events
        await credit(other, "a", settle("r1", 100))
        for ledger in (one, other):
            assert (await credit(ledger, "a", hold("r1", 100))).events == first.events
    assert len(tags_of(database, "credit-a")) == 3


async def test_what_was_refused_may_be_asked_again(database: Database) -> None:
    async with running(database.writer) as ledger:
        assert await code_of(credit(ledger, "a", hold("r", 5), "reserve")) == "insufficient_credits"
        await credit(ledger, "a", grant("lot", 5))
        assert (await credit(ledger, "a", hold("r", 5), "reserve")).seen_before is False


async def test_commands_with_nothing_to_do_are_idempotent_too(database: Database) -> None:
    """Suspending a suspended account records no event, but its id is taken: it must not suspend anew after a pardon."""
    async with processes(database) as (one, other):
        await one.transact(ACCOUNT, "a", Open(at=NOW, account_id="a", username=b"", email=b""), command_id=UUID(int=1))
        await one.transact(ACCOUNT, "a", ChangeState(at=NOW, state="suspended"), command_id=UUID(int=2))
        nothing = await one.transact(ACCOUNT, "a", ChangeState(at=NOW, state="suspended"), command_id=UUID(int=3))
        await one.transact(ACCOUNT, "a", ChangeState(at=NOW, state="active"), command_id=UUID(int=4))
        again = await other.transact(ACCOUNT, "a", ChangeState(at=NOW, state="suspended"), command_id=UUID(int=3))
        with pytest.raises(DomainError, match="command_id_reused"):
            await other.transact(ACCOUNT, "a", ChangeState(at=NOW, state="bot"), command_id=UUID(int=3))
        assert (await one.state_of(ACCOUNT, "a")).state == "active"
    assert (nothing.events, nothing.position, nothing.seen_before) == ((), 0, False)
    assert (again.events, again.position, again.seen_before) == ((), 0, True)


async def test_the_rest_of_a_batch_with_a_repeated_command_is_decided_on_the_truth(database: Database) -> None:
    """The release that was seen before must not free credit twice in the decisions behind it."""
    async with running(database.writer) as ledger:
        await credit(ledger, "a", grant("lot", 10))
        await credit(ledger, "a", hold("r1", 10))
        await credit(ledger, "a", release("r1"))
        codes = await asyncio.gather(
            code_of(credit(ledger, "a", grant("lot", 10))),
            code_of(credit(ledger, "a", hold("r2", 10))),
            code_of(credit(ledger, "a", release("r1"))),
            code_of(credit(ledger, "a", hold("r3", 10))),
            code_of(credit(ledger, "b", grant("lot", 1))),
        )
    assert codes == ["", "", "", "insufficient_credits", ""]


async def test_recall_tells_what_earlier_commands_came_to(database: Database) -> None:
    async with running(database.writer) as ledger:
        opened = Open(at=NOW, account_id="a", username=b"", email=b"")
        first = await ledger.transact(ACCOUNT, "a", opened, command_id=UUID(int=1))
        await ledger.transact(ACCOUNT, "a", ChangeState(at=NOW, state="active"), command_id=UUID(int=2))
        found = await ledger.recall([UUID(int=1), UUID(int=2), UUID(int=3)])
    assert found.keys() == {UUID(int=1), UUID(int=2)}
    assert found[UUID(int=1)].events == first.events and found[UUID(int=2)].events == ()


async def test_an_answer_is_kept_with_its_command_and_only_the_first(database: Database) -> None:
    async with running(database.writer) as ledger:
        await credit(ledger, "a", grant("lot", 10))
        await credit(ledger, "a", hold("r", 10))
        for sealed in (b"first", b"second"):
            answer = StoredAnswer("a", UUID(int=9), sealed, NOW + DAY)
            await ledger.transact(CREDIT, "a", settle("r", 5), command_id=UUID(int=9), answer=answer)
        refused = StoredAnswer("a", UUID(int=10), b"refused", NOW + DAY)
        with pytest.raises(DomainError, match="reservation_not_open"):
            await ledger.transact(CREDIT, "a", settle("x", 5), command_id=UUID(int=10), answer=refused)
    assert database.sql("SELECT command_id, account_id, sealed, expires_at FROM content.answers") == [
        (UUID(int=9), "a", b"first", NOW + DAY)
    ]
