"""A revoked key is dead within a second on every process, also while the projector stands still."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from adapters.outbound.postgres.append.ledger import PostgresLedger
from adapters.outbound.postgres.read.follow_access import AccessTail
from adapters.outbound.postgres.read.key_directory import KEY_READ_PATIENCE_S, CachedKeyDirectory
from domain.account.account import ACCOUNT, ChangeState, Open
from domain.api_key.api_key import API_KEY, Change, Revoke, Rotate
from domain.api_key.events import KeySettings, Secret
from domain.claim import Claim
from tests.domain.credit_words import NOW, SECOND
from tests.rigs.databases import Database
from tests.rigs.postgres.key_directories import (
    CLOCK,
    PATIENCE_S,
    PERSONAL_DATA,
    LogKeyReads,
    change_key,
    directory,
    hashed,
    issue,
    verdict,
)
from tests.rigs.postgres.ledgers import eventually, processes


def rotation(now: datetime, grace: timedelta = timedelta()) -> Rotate:
    return Rotate(at=now, secret=Secret(hashed("new"), "last"), grace_s=int(grace.total_seconds()))


ENDS: dict[str, tuple[Callable[[PostgresLedger], Any], str]] = {
    "revoked": (lambda ledger: change_key(ledger, Revoke(at=NOW)), "invalid_api_key"),
    "disabled": (
        lambda ledger: change_key(ledger, Change(at=NOW, settings=KeySettings(label=b"", disabled=True))),
        "api_key_disabled",
    ),
    "rotated without grace": (
        lambda ledger: change_key(ledger, rotation(CLOCK.now()), "new"),
        "invalid_api_key",
    ),
    "its account suspended": (
        lambda ledger: ledger.transact(ACCOUNT, "a", ChangeState(at=NOW, state="suspended"), command_id=uuid4()),
        "account_not_served",
    ),
}


@pytest.mark.parametrize("is_frozen", [False, True], ids=["projector runs", "projector stands still"])
@pytest.mark.parametrize("end", ENDS)
async def test_a_key_that_ends_is_refused_everywhere_within_a_second(
    database: Database, end: str, is_frozen: bool
) -> None:
    """Two processes under load; the change is made on a third."""
    loop = asyncio.get_running_loop()
    command, code = ENDS[end]
    last_served_s = [0.0, 0.0]
    refused = [0, 0]

    async def load(i: int, keys: CachedKeyDirectory) -> None:
        while refused[i] < 30:
            now_s = loop.time()
            found = await verdict(keys)
            assert found in ("served", code)
            if found == "served":
                last_served_s[i] = now_s
                assert refused[i] == 0  # never again once refused
            else:
                refused[i] += 1
            await asyncio.sleep(0.001)

    async with processes(database, 3) as (one, other, third):
        reads = LogKeyReads(database)
        issued_at = await issue(third)
        async with directory(database, one, reads) as a, directory(database, other, reads) as b:
            assert [await verdict(a), await verdict(b)] == ["served"] * 2
            reads.frozen_at = issued_at if is_frozen else None
            loads = [asyncio.create_task(load(i, keys)) for i, keys in enumerate((a, b))]
            await eventually(lambda: all(last_served_s))
            await command(third)
            ended_s = loop.time()
            async with asyncio.timeout(20):
                await asyncio.gather(*loads)
    assert max(last_served_s) - ended_s < 1.0


async def test_lookups_are_served_from_memory(database: Database) -> None:
    reads = LogKeyReads(database)
    async with processes(database, 1) as (ledger,):
        await issue(ledger)
        async with directory(database, ledger, reads) as keys:
            assert [await verdict(keys) for _ in range(50)] == ["served"] * 50
    assert reads.asked == 1


async def test_a_new_key_works_at_once_though_the_read_model_has_not_seen_it(database: Database) -> None:
    async with processes(database) as (one, other):
        reads = LogKeyReads(database)
        reads.frozen_at = 0
        async with directory(database, other, reads) as keys:
            assert await verdict(keys, "another") == "invalid_api_key"
            await issue(one)
            assert await verdict(keys) == "served"


async def test_a_rotated_key_opens_with_both_secrets_until_the_grace_ends(database: Database) -> None:
    now = CLOCK.now()
    async with processes(database) as (one, other):
        await issue(one)
        async with directory(database, other, LogKeyReads(database)) as keys:
            await change_key(one, rotation(now, 2 * SECOND), "new")
            assert [await verdict(keys, "new"), await verdict(keys)] == ["served"] * 2
            await eventually(lambda: CLOCK.now() > now + 2 * SECOND)
            assert [await verdict(keys, "new"), await verdict(keys)] == ["served", "invalid_api_key"]


async def test_a_key_whose_time_is_over_is_refused(database: Database) -> None:
    async with processes(database, 1) as (ledger,):
        await issue(ledger)
        until = CLOCK.now() + timedelta(milliseconds=300)
        await change_key(ledger, Change(at=NOW, settings=KeySettings(label=b"", expires_at=until)))
        async with directory(database, ledger, LogKeyReads(database)) as keys:
            assert await verdict(keys) == "served"
            await eventually(lambda: CLOCK.now() > until)
            assert await verdict(keys) == "api_key_expired"


async def test_with_a_stalled_tail_keys_are_read_from_their_streams(database: Database) -> None:
    """The tail was read once and never again: after half a second it vouches for nothing."""
    reads = LogKeyReads(database)
    async with processes(database) as (one, other):
        reads.frozen_at = await issue(one)
        keys = CachedKeyDirectory(reads, other, PERSONAL_DATA, CLOCK, database.writer, PATIENCE_S)
        await keys.tail.poll()
        assert await verdict(keys) == "served"
        await change_key(one, Revoke(at=NOW))
        await eventually(lambda: not keys.tail.is_fresh())
        assert await verdict(keys) == "invalid_api_key"
        assert reads.asked == 1
        await keys.tail.poll()
        assert await verdict(keys) == "invalid_api_key"
        keys.tail.close()


async def test_an_invalidation_that_overtakes_a_lookup_is_not_forgotten(database: Database) -> None:
    """The read model's answer is on its way; the revocation is seen before it arrives."""
    reads = LogKeyReads(database)
    async with processes(database) as (one, other):
        await issue(one)
        async with directory(database, other, reads) as keys:
            reads.gate = asyncio.Event()
            looking = asyncio.create_task(verdict(keys))
            await eventually(lambda: reads.asked == 1)
            revoked_at = await change_key(one, Revoke(at=NOW))
            await eventually(lambda: (keys.tail.position or 0) >= revoked_at)
            reads.gate.set()
            assert await looking == "invalid_api_key"
            assert await verdict(keys) == "invalid_api_key"


async def test_a_revocation_that_overtakes_the_streams_is_not_forgotten(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key's stream was read before the revocation; the tail reports that before the entry is made."""
    async with processes(database) as (one, other):
        await issue(one)
        async with directory(database, other, LogKeyReads(database)) as keys:
            read, go_on, state_of = asyncio.Event(), asyncio.Event(), other.state_of

            async def held_back(decider: Any, owner_id: str) -> Any:
                state = await state_of(decider, owner_id)
                if decider is API_KEY:
                    read.set()
                    await go_on.wait()
                return state

            monkeypatch.setattr(other, "state_of", held_back)
            looking = asyncio.create_task(verdict(keys))
            await read.wait()
            revoked_at = await change_key(one, Revoke(at=NOW))
            await eventually(lambda: (keys.tail.position or 0) >= revoked_at)
            monkeypatch.setattr(other, "state_of", state_of)
            go_on.set()
            assert await looking == "invalid_api_key"
            assert await verdict(keys) == "invalid_api_key"


async def test_an_answer_that_was_long_under_way_vouches_for_nothing(database: Database) -> None:
    """As when the network stands still for a second: read model and tail say what was true then."""
    reads = LogKeyReads(database)
    async with processes(database) as (one, other):
        await issue(one)
        keys = CachedKeyDirectory(reads, other, PERSONAL_DATA, CLOCK, database.writer, PATIENCE_S)
        await keys.tail.poll()
        reads.gate = asyncio.Event()
        looking = asyncio.create_task(verdict(keys))
        await eventually(lambda: reads.asked == 1)
        await change_key(one, Revoke(at=NOW))
        await eventually(lambda: not keys.tail.is_fresh())
        reads.gate.set()
        assert await looking == "invalid_api_key"
        keys.tail.close()


async def test_a_read_model_that_does_not_answer_is_not_waited_for(database: Database) -> None:
    """A pooled connection on a dead network: the key's own stream is asked instead."""
    reads = LogKeyReads(database)
    async with processes(database) as (one, other):
        await issue(one)
        async with directory(database, other, reads) as keys:
            reads.gate = asyncio.Event()
            async with asyncio.timeout(4 * KEY_READ_PATIENCE_S):
                assert await verdict(keys) == "served"


async def test_who_cannot_be_looked_up_is_told_so_in_time(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The setting that bounds a reservation bounds this too; a read by itself would be waited for much longer."""
    reads = LogKeyReads(database)
    async with processes(database) as (one, other):
        await issue(one)

        async def never(claim: Claim) -> str | None:
            await asyncio.Event().wait()
            return None

        monkeypatch.setattr(other, "holder_of", never)
        async with directory(database, other, reads, patience_s=KEY_READ_PATIENCE_S + 0.2) as keys:
            reads.gate = asyncio.Event()
            async with asyncio.timeout(8 * KEY_READ_PATIENCE_S):
                assert await verdict(keys) == "ledger_unavailable"


async def test_a_read_model_older_than_the_first_look_at_the_tail_is_not_trusted(database: Database) -> None:
    """This process began after the revocation, so its tail never reported it; the projector is behind."""
    reads = LogKeyReads(database)
    async with processes(database) as (one, other):
        reads.frozen_at = await issue(one)
        await change_key(one, Revoke(at=NOW))
        async with directory(database, other, reads) as keys:
            assert await verdict(keys) == "invalid_api_key"


async def test_more_keys_and_invalidations_than_are_remembered(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is forgotten is looked up again, never served blindly."""
    monkeypatch.setattr("adapters.outbound.postgres.read.key_directory.MAX_INVALIDATIONS", 3)
    monkeypatch.setattr("adapters.outbound.postgres.read.key_directory.MAX_ENTRIES", 1)
    reads = LogKeyReads(database)
    async with processes(database, 1) as (ledger,):
        reads.frozen_at = await issue(ledger)
        async with directory(database, ledger, reads) as keys:
            assert await verdict(keys) == "served"
            await change_key(ledger, Revoke(at=NOW))
            for n in range(5):
                opened = Open(at=NOW, account_id=f"b{n}", username=b"", email=b"")
                last = await ledger.transact(ACCOUNT, f"b{n}", opened, command_id=uuid4())
            await eventually(lambda: (keys.tail.position or 0) >= last.position)
            assert await verdict(keys) == "invalid_api_key"


async def test_the_tail_needs_no_notification(database: Database) -> None:
    seen: list[tuple[str, int]] = []
    async with processes(database, 1) as (ledger,):
        tail = AccessTail(database.auditor, lambda stream, position: seen.append((stream, position)), lambda: None)
        following = asyncio.create_task(tail.run())
        await eventually(tail.is_fresh)
        await issue(ledger)
        async with asyncio.timeout(1):
            await eventually(lambda: seen == [("account-a", 1), ("key-k", 2)])
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
