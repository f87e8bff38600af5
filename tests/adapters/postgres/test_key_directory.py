"""A revoked key is dead within a second on every process, also while the projector stands still."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from cryptography.fernet import Fernet
from msgspec.structs import replace

from adapters.outbound.crypto.clock_and_ids import SystemClock
from adapters.outbound.crypto.personal_data import SealedPersonalData
from adapters.outbound.postgres.append.ledger import PostgresLedger
from adapters.outbound.postgres.read import key_directory
from adapters.outbound.postgres.read.follow_access import AccessTail
from adapters.outbound.postgres.read.key_directory import KEY_READ_PATIENCE_S, CachedKeyDirectory
from application.ports.key_directory import Caller
from application.reads.keys import FoundKey
from domain.account.account import ACCOUNT, Account, ChangeState, Open
from domain.aggregates import CODEC, aggregate_of
from domain.api_key.api_key import API_KEY, ApiKey, ApiKeyCommand, Change, Issue, Revoke, Rotate
from domain.api_key.events import KeySettings, Secret
from domain.api_key.secret_form import is_secret, write_secret
from domain.claim import Claim
from domain.errors import DomainError
from tests.domain.credit_words import NOW, SECOND
from tests.rigs.databases import Database
from tests.rigs.postgres.ledgers import eventually, processes

SECRET = "gw_live_first"
PATIENCE_S = 10.0
CLOCK = SystemClock()


class NoDataKeys:
    async def put(self, account_id: str, wrapped: bytes) -> None: ...

    async def get(self, account_id: str) -> bytes | None: ...


PERSONAL_DATA = SealedPersonalData(b"pepper", [Fernet.generate_key()], NoDataKeys())


class LogKeyReads:
    """The api_key read model, folded from the log as far as its projector has come.

    frozen_at: the projector stands still at this position; None: it has caught up.
    gate:      each answer waits for it, on its way back from the database.
    """

    def __init__(self, database: Database) -> None:
        self._dsn = database.auditor
        self.frozen_at: int | None = None
        self.gate: asyncio.Event | None = None
        self.asked = 0

    async def with_secret(self, secret_hash: bytes) -> FoundKey | None:
        found = await self._found(secret_hash)
        self.asked += 1
        if self.gate is not None:
            await self.gate.wait()
        return found

    async def _found(self, secret_hash: bytes) -> FoundKey | None:
        position, states = await self._states()
        for state in states.values():
            if isinstance(state, ApiKey) and secret_hash in _hashes(state):
                account: Account = states[ACCOUNT.stream(state.account_id)]
                return FoundKey(state, account.state, position)
        return None

    async def _states(self) -> tuple[int, dict[str, Any]]:
        states: dict[str, Any] = {}
        position = 0
        async with await psycopg.AsyncConnection.connect(self._dsn) as connection:
            rows = await connection.execute(
                "SELECT notification_id, originator_id, topic, state FROM ledger.stored_events"
                " WHERE notification_id <= %s ORDER BY 1",
                [2**60 if self.frozen_at is None else self.frozen_at],
            )
            async for position, stream, tag, state in rows:  # noqa: B007 - the last one's
                decider = aggregate_of(stream)
                states[stream] = decider.evolve(states.get(stream, decider.initial), CODEC.decode(tag, state))
        return position, states


def _hashes(key: ApiKey) -> set[bytes]:
    return {key.secret.hash} | ({key.old_secret.hash} if key.old_secret else set())


def written(name: str) -> str:
    """A secret of the form that every key has."""
    secret = write_secret("live", name.replace(" ", "-").ljust(43, "x"))
    assert is_secret(secret), "else no lookup is tried"
    return secret


def hashed(name: str) -> bytes:
    return PERSONAL_DATA.keyed_hash("key_secret", written(name))


async def change_key(ledger: PostgresLedger, command: ApiKeyCommand, *secrets: str) -> int:
    claims = [Claim("key_secret", hashed(secret)) for secret in secrets]
    return (await ledger.transact(API_KEY, "k", command, command_id=uuid4(), claims=claims)).position


async def issue(ledger: PostgresLedger, secret: str = SECRET) -> int:
    opened = Open(at=NOW, account_id="a", username=b"", email=b"")
    await ledger.transact(ACCOUNT, "a", opened, command_id=uuid4())
    issued = Issue(
        at=NOW,
        key_id="k",
        account_id="a",
        kind="inference",
        environment="live",
        secret=Secret(hashed(secret), "last"),
        settings=KeySettings(label=b""),
    )
    return await change_key(ledger, issued, secret)


@contextlib.asynccontextmanager
async def directory(
    database: Database, ledger: PostgresLedger, reads: LogKeyReads, patience_s: float = PATIENCE_S
) -> AsyncIterator[CachedKeyDirectory]:
    made = CachedKeyDirectory(reads, ledger, PERSONAL_DATA, CLOCK, database.writer, patience_s)
    following = asyncio.create_task(made.tail.run())
    await eventually(made.tail.is_fresh)
    yield made
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)


async def verdict(keys: CachedKeyDirectory, secret: str = SECRET) -> str:
    try:
        caller: Caller = await keys.authenticate(written(secret))
    except DomainError as refusal:
        return refusal.code
    assert (caller.key_id, caller.account_id) == ("k", "a")
    return "served"


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


# ---- a read model that somebody wrote who is not the projector's code


class LateAnswers:
    """A ledger whose streams are read at once, and told when `gate` opens."""

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
