"""A key directory on a real ledger, with a read model that is folded from the log and can stand still."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import psycopg
from cryptography.fernet import Fernet

from adapters.outbound.crypto.clock_and_ids import SystemClock
from adapters.outbound.crypto.personal_data import SealedPersonalData
from adapters.outbound.postgres.append.ledger import PostgresLedger
from adapters.outbound.postgres.read.key_directory import CachedKeyDirectory
from application.ports.key_directory import Caller
from application.reads.keys import FoundKey
from domain.account.account import ACCOUNT, Account, Open
from domain.aggregates import CODEC, aggregate_of
from domain.api_key.api_key import API_KEY, ApiKey, ApiKeyCommand, Issue
from domain.api_key.events import KeySettings, Secret
from domain.api_key.secret_form import is_secret, write_secret
from domain.claim import Claim
from domain.errors import DomainError
from tests.domain.credit_words import NOW
from tests.rigs.databases import Database
from tests.rigs.postgres.ledgers import eventually

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
