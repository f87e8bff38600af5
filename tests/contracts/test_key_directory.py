"""What application.ports.key_directory promises."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import NamedTuple
from uuid import uuid4

import pytest

from adapters.outbound.crypto.clock_and_ids import SystemClock
from adapters.outbound.postgres.append.ledger import PostgresLedger
from adapters.outbound.postgres.builds.project_log import Projector
from adapters.outbound.postgres.read.key_directory import CachedKeyDirectory
from adapters.outbound.postgres.read.reads import postgres_reads
from application.ports.key_directory import KeyDirectory
from application.ports.ledger import Ledger
from domain.account.account import ACCOUNT, ChangeState, Open
from domain.api_key.api_key import API_KEY, Change, Issue, Revoke, Rotate
from domain.api_key.events import KeySettings, Secret
from domain.api_key.secret_form import write_secret
from domain.claim import Claim
from domain.decider import Decider
from domain.errors import DomainError
from domain.event import Command
from tests.contracts.ledgers import ledger_of
from tests.fakes.memory_key_directory import MemoryKeyDirectory
from tests.fakes.memory_ledger import MemoryLedger
from tests.fakes.memory_personal_data import MemoryPersonalData
from tests.rigs.databases import Database
from tests.rigs.postgres.asking import pool_of
from tests.rigs.postgres.ledgers import eventually
from tests.rigs.postgres.projecting import running

PORT = KeyDirectory
SUBJECTS = {"memory": MemoryKeyDirectory, "cached": CachedKeyDirectory}
SECRET, SECOND = write_secret("live", "x" * 43), write_secret("live", "y" * 43)
CLOCK, PERSONAL_DATA = SystemClock(), MemoryPersonalData()
SETTINGS = KeySettings(label=b"")


class World(NamedTuple):
    keys: KeyDirectory
    ledger: Ledger

    async def do(self, decider: Decider, owner_id: str, command: Command, *secrets: str) -> None:
        claims = [Claim("key_secret", hashed(secret)) for secret in secrets]
        await self.ledger.transact(decider, owner_id, command, command_id=uuid4(), claims=claims)

    async def refuses(self, code: str, secret: str = SECRET) -> bool:
        """With this code, within a second: every change has to be known by then."""
        for _ in range(100):
            try:
                await self.keys.authenticate(secret)
            except DomainError as refused:
                if refused.code == code:
                    return True
            await asyncio.sleep(0.01)
        return False


def hashed(secret: str) -> bytes:
    return PERSONAL_DATA.keyed_hash("key_secret", secret)


@pytest.fixture
async def world(subject: str, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """With an account `a` and its key `k`."""
    if subject == "memory":
        memory = MemoryLedger()
        made = World(MemoryKeyDirectory(memory, PERSONAL_DATA, CLOCK), memory)
        await issue(made)
        yield made
        return
    database: Database = request.getfixturevalue("database")
    Projector(database.projector).catch_up()
    with running(database):
        async with ledger_of(PostgresLedger, request) as (ledger, _), pool_of(database) as pool:
            keys = CachedKeyDirectory(postgres_reads(pool).keys, ledger, PERSONAL_DATA, CLOCK, database.writer, 10.0)
            following = asyncio.create_task(keys.tail.run())
            await eventually(keys.tail.is_fresh)
            made = World(keys, ledger)
            await issue(made)
            yield made
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)


async def issue(world: World) -> None:
    now = CLOCK.now()
    await world.do(ACCOUNT, "a", Open(at=now, account_id="a", username=b"", email=b""))
    secret = Secret(hashed(SECRET), "last")
    issued = Issue(
        at=now, key_id="k", account_id="a", kind="inference", environment="live", secret=secret, settings=SETTINGS
    )
    await world.do(API_KEY, "k", issued, SECRET)


async def test_a_caller_is_its_key_and_its_account(world: World) -> None:
    caller = await world.keys.authenticate(SECRET)
    assert (caller.key_id, caller.account_id, caller.kind, caller.environment) == ("k", "a", "inference", "live")
    assert (caller.account_state, caller.limit) == ("active", None)
    assert world.keys.remembered(SECRET) in (None, caller)


@pytest.mark.parametrize("secret", ["", "nonsense", SECOND])
async def test_what_is_no_key_is_refused(world: World, secret: str) -> None:
    assert await world.refuses("invalid_api_key", secret)


async def test_a_key_that_ended_is_refused(world: World) -> None:
    await world.keys.authenticate(SECRET)
    await world.do(API_KEY, "k", Change(at=CLOCK.now(), settings=KeySettings(label=b"", disabled=True)))
    assert await world.refuses("api_key_disabled")
    soon = CLOCK.now() + timedelta(seconds=0.3)
    await world.do(API_KEY, "k", Change(at=CLOCK.now(), settings=KeySettings(label=b"", expires_at=soon)))
    await asyncio.sleep(0.3)
    assert await world.refuses("api_key_expired")
    await world.do(API_KEY, "k", Revoke(at=CLOCK.now()))
    assert await world.refuses("invalid_api_key")


async def test_a_key_of_an_account_that_is_not_served_is_refused(world: World) -> None:
    await world.keys.authenticate(SECRET)
    await world.do(ACCOUNT, "a", ChangeState(at=CLOCK.now(), state="suspended"))
    assert await world.refuses("account_not_served")


async def test_the_secret_before_a_rotation_opens_within_its_grace(world: World) -> None:
    await world.do(API_KEY, "k", Rotate(at=CLOCK.now(), secret=Secret(hashed(SECOND), "next"), grace_s=3_600), SECOND)
    assert (await world.keys.authenticate(SECOND)).key_id == "k"
    assert (await world.keys.authenticate(SECRET)).key_id == "k"
