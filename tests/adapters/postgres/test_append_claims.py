"""A claimed name belongs to one stream, on any number of processes, until that stream releases it."""

import asyncio
from collections import Counter
from typing import Any
from uuid import uuid4

import pytest

from adapters.outbound.postgres.append.ledger import PostgresLedger
from domain.account.account import ACCOUNT, ChangeState, Open
from domain.claim import Claim
from domain.errors import DomainError
from tests.domain.credit_words import NOW
from tests.rigs.databases import Database
from tests.rigs.postgres.ledgers import code_of, processes, running

EMAIL = Claim("email", b"hash of an email")
USERNAME = Claim("username", b"hash of an email")


async def open_account(ledger: PostgresLedger, account: str, *claims: Claim, **more: Any) -> str:
    opened = Open(at=NOW, account_id=account, username=b"", email=b"")
    return await code_of(ledger.transact(ACCOUNT, account, opened, command_id=uuid4(), claims=claims, **more))


async def change(ledger: PostgresLedger, account: str, state: Any, **more: Any) -> str:
    return await code_of(
        ledger.transact(ACCOUNT, account, ChangeState(at=NOW, state=state), command_id=uuid4(), **more)
    )


async def test_of_many_at_once_one_gets_the_name(database: Database) -> None:
    async with processes(database) as ledgers:
        codes = await asyncio.gather(*(open_account(ledgers[n % 2], f"a{n}", EMAIL) for n in range(20)))
        holder = await ledgers[0].holder_of(EMAIL)
    assert Counter(codes) == {"": 1, "claim_taken": 19}
    assert holder == f"account-a{codes.index('')}"
    assert database.sql("SELECT count(*) FROM ledger.stored_events") == [(1,)]


async def test_the_refusal_names_the_kind(database: Database) -> None:
    async with running(database.writer) as ledger:
        await open_account(ledger, "a", EMAIL)
        opened = Open(at=NOW, account_id="b", username=b"", email=b"")
        with pytest.raises(DomainError, match=r"claim_taken\(kind='email'\)"):
            await ledger.transact(ACCOUNT, "b", opened, command_id=uuid4(), claims=[USERNAME, EMAIL])
        assert await ledger.holder_of(USERNAME) is None


async def test_two_names_of_two_streams_in_one_batch(database: Database) -> None:
    async with running(database.writer) as ledger:
        codes = await asyncio.gather(
            open_account(ledger, "a", Claim("email", b"1"), Claim("username", b"1")),
            open_account(ledger, "b", Claim("email", b"2"), Claim("username", b"2")),
            open_account(ledger, "c", Claim("email", b"3"), Claim("username", b"1")),
            open_account(ledger, "d", Claim("email", b"3")),
        )
        assert codes == ["", "", "claim_taken", ""]
        assert await ledger.holder_of(Claim("email", b"3")) == "account-d"


async def test_a_stream_may_claim_what_it_holds(database: Database) -> None:
    async with running(database.writer) as ledger:
        assert await open_account(ledger, "a", EMAIL) == ""
        assert await change(ledger, "a", "suspended", claims=[EMAIL]) == ""
        assert await ledger.holder_of(EMAIL) == "account-a"


async def test_a_released_name_is_free_for_the_next(database: Database) -> None:
    async with processes(database) as (one, other):
        await open_account(one, "a", EMAIL)
        assert await open_account(other, "b", EMAIL) == "claim_taken"
        assert await change(one, "a", "closed", releases=[EMAIL]) == ""
        assert await open_account(other, "b", EMAIL) == ""
        assert await one.holder_of(EMAIL) == "account-b"


async def test_a_release_and_the_next_claim_at_once(database: Database) -> None:
    """They wait in one queue, in this order; whoever asked second must not be refused for being quick."""
    async with running(database.writer) as ledger:
        await open_account(ledger, "a", EMAIL)
        codes = await asyncio.gather(change(ledger, "a", "closed", releases=[EMAIL]), open_account(ledger, "b", EMAIL))
    assert codes == ["", ""]


async def test_nobody_releases_what_another_holds(database: Database) -> None:
    async with running(database.writer) as ledger:
        await open_account(ledger, "a", EMAIL)
        await open_account(ledger, "b")
        await change(ledger, "b", "closed", releases=[EMAIL])
        assert await ledger.holder_of(EMAIL) == "account-a"


async def test_a_refused_command_claims_nothing(database: Database) -> None:
    async with running(database.writer) as ledger:
        assert await change(ledger, "nobody", "closed", claims=[EMAIL]) == "account_not_found"
        assert await ledger.holder_of(EMAIL) is None


async def test_neighbours_on_the_stream_of_a_refused_claim_are_decided_without_it(database: Database) -> None:
    """The account was never opened, so the change that was decided behind its opening must be refused too."""
    async with running(database.writer) as ledger:
        await open_account(ledger, "a", EMAIL)
        codes = await asyncio.gather(
            open_account(ledger, "warm"),
            open_account(ledger, "b", EMAIL),
            change(ledger, "b", "closed"),
            open_account(ledger, "c"),
        )
    assert codes == ["", "claim_taken", "account_not_found", ""]
