"""The key directory asks little and once, and believes only streams: unknown keys, callers at once, forged rows."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from msgspec.structs import replace

from adapters.outbound.postgres.append.ledger import PostgresLedger
from adapters.outbound.postgres.read import key_directory
from application.reads.keys import FoundKey
from domain.account.account import ACCOUNT, ChangeState
from domain.api_key.api_key import Revoke
from domain.api_key.events import KeySettings
from domain.claim import Claim
from domain.errors import DomainError
from tests.domain.credit_words import NOW
from tests.rigs.databases import Database
from tests.rigs.postgres.key_directories import (
    SECRET,
    LogKeyReads,
    change_key,
    directory,
    hashed,
    issue,
    verdict,
    written,
)
from tests.rigs.postgres.ledgers import eventually, processes


async def test_what_is_not_written_as_a_key_is_asked_of_nobody(database: Database) -> None:
    reads = LogKeyReads(database)
    async with processes(database, 1) as (ledger,), directory(database, ledger, reads) as keys:
        for text in ("zzz", "gw_live_short", "gw_prod_" + "x" * 43, "gw_live_" + "x" * 44, "gw_live_" + "é" * 43):
            with pytest.raises(DomainError, match="invalid_api_key"):
                await keys.authenticate(text)
    assert reads.asked == 0


async def test_an_unknown_key_is_remembered_as_that_for_a_second(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_directory, "MAX_NONE", 5)
    reads = LogKeyReads(database)
    async with processes(database, 1) as (ledger,), directory(database, ledger, reads) as keys:
        for _ in range(10):
            assert await verdict(keys, "unknown") == "invalid_api_key"
        assert reads.asked <= 1 + 10 * key_directory.NONE_S, "a slow machine may need more than a second for them"
        assert reads.asked < 10
        for number in range(20):
            await verdict(keys, f"unknown {number}")
        assert len(keys._none_until_s) <= 5


class LateAnswers:
    """A ledger that reads streams at once and answers when `gate` opens."""

    def __init__(self, ledger: PostgresLedger) -> None:
        self._ledger = ledger
        self.gate = asyncio.Event()
        self.asked = 0

    async def holder_of(self, claim: Claim) -> str | None:
        return await self._ledger.holder_of(claim)

    async def state_of(self, decider: Any, owner_id: str) -> Any:
        state = await self._ledger.state_of(decider, owner_id)
        self.asked += 1
        await self.gate.wait()
        return state


async def test_callers_at_once_share_a_look_up(database: Database) -> None:
    async with processes(database, 1) as (ledger,):
        await issue(ledger)
        late = LateAnswers(ledger)
        async with directory(database, late, LogKeyReads(database)) as keys:  # type: ignore[arg-type]
            callers = [asyncio.create_task(verdict(keys)) for _ in range(10)]
            await eventually(lambda: late.asked > 0)
            late.gate.set()
            assert await asyncio.gather(*callers) == ["served"] * 10
            assert late.asked == 2, "the key's stream and its account's"


async def test_who_comes_after_a_revocation_does_not_share_what_was_read_before_it(database: Database) -> None:
    """The process cannot follow changes, and its database answers late."""
    async with processes(database, 1) as (ledger,):
        await issue(ledger)
        late = LateAnswers(ledger)
        async with directory(database, late, LogKeyReads(database)) as keys:  # type: ignore[arg-type]
            keys.tail.is_fresh = lambda: False  # type: ignore[method-assign]
            before = asyncio.create_task(verdict(keys))
            await eventually(lambda: late.asked > 0)
            await change_key(ledger, Revoke(at=NOW))
            await asyncio.sleep(1)  # by then it is to be known everywhere
            after = asyncio.create_task(verdict(keys))
            await asyncio.sleep(0.1)
            late.gate.set()
            assert await after == "invalid_api_key"
            await before


class ForgedKeyReads(LogKeyReads):
    """forge: what the read model says of the key, from what is true."""

    def __init__(self, database: Database, forge: Callable[[FoundKey], FoundKey]) -> None:
        super().__init__(database)
        self._forge = forge

    async def with_secret(self, secret_hash: bytes) -> FoundKey | None:
        found = await super().with_secret(secret_hash)
        return found and self._forge(found)


def with_key(**changes: object) -> Callable[[FoundKey], FoundKey]:
    return lambda found: replace(found, key=replace(found.key, **changes))  # type: ignore[arg-type]


FORGED = {
    "of another account": (with_key(account_id="b"), "served"),
    "of another kind": (with_key(kind="management"), "served"),
    "without its limit": (with_key(settings=KeySettings(label=b"")), "served"),
    "of another's id": (with_key(key_id="other"), "served"),
    "not revoked": (with_key(revoked=False), "invalid_api_key"),
    "of an account that is served": (lambda found: replace(found, account_state="active"), "account_not_served"),
}


@pytest.mark.parametrize("name", FORGED)
async def test_what_the_cache_is_filled_with_is_what_the_streams_say(database: Database, name: str) -> None:
    """The projector's role may write the read model: that must not be spending somebody's credit."""
    forge, expected = FORGED[name]
    async with processes(database, 1) as (ledger,):
        await issue(ledger)
        if expected == "invalid_api_key":
            await change_key(ledger, Revoke(at=NOW))
        if expected == "account_not_served":
            await ledger.transact(ACCOUNT, "a", ChangeState(at=NOW, state="suspended"), command_id=uuid4())
        async with directory(database, ledger, ForgedKeyReads(database, forge)) as keys:
            for _ in range(2):
                assert await verdict(keys) == expected
                if expected == "served":
                    caller = await keys.authenticate(written(SECRET))
                    assert (caller.key_id, caller.account_id, caller.kind) == ("k", "a", "inference")


async def test_a_secret_that_is_no_key_s_opens_none(database: Database) -> None:
    """A row that leads from a made-up secret to a real key."""
    async with processes(database, 1) as (ledger,):
        await issue(ledger)
        reads = LogKeyReads(database)

        async def found(secret_hash: bytes) -> FoundKey | None:
            return await LogKeyReads.with_secret(reads, hashed(SECRET))

        reads.with_secret = found  # type: ignore[method-assign]
        async with directory(database, ledger, reads) as keys:
            assert await verdict(keys, "made-up") == "invalid_api_key"
            assert await verdict(keys, "made-up") == "invalid_api_key"
