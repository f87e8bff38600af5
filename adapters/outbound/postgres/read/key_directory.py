"""Implements application.ports.key_directory: a cache over the api_key read model; known revocations invalidate it.

An entry is kept only if its read model had seen every event of the key and its account that this process knows. Its
content comes from the streams of key and account, because a role that can write the read model must not be able to give
a key to another account, or to open a closed one. In doubt (a stopped projector, a stale tail, a key that the read
model does not have yet) the key is read from its own stream.
"""

import asyncio
from collections import OrderedDict
from datetime import datetime
from functools import partial
from typing import Protocol

from adapters.outbound.postgres.read.follow_access import AccessTail
from adapters.outbound.postgres.wire.ask_server import LOST
from application.ports.clock import Clock
from application.ports.key_directory import Caller
from application.ports.ledger import Ledger
from application.ports.personal_data import PersonalData
from application.reads.keys import FoundKey
from domain.account.account import ACCOUNT, may_be_served
from domain.account.events import AccountState
from domain.aggregates import owner_of
from domain.api_key.api_key import API_KEY, ApiKey
from domain.api_key.secret_form import is_secret
from domain.claim import Claim
from domain.errors import DomainError

MAX_ENTRIES = 50_000
MAX_INVALIDATIONS = 10_000
"""Streams with a remembered newest event; beyond this the floor rises and older read models are no longer trusted."""

NONE_S = 1.0
"""How long an unknown key is remembered: a client that repeats it causes one query."""

MAX_NONE = 10_000

SHARED_S = 0.5
"""A look-up that began longer ago may predate a revocation, which must take effect within 1 s."""

KEY_READ_PATIENCE_S = 0.5
"""Wait for the read model; a pooled connection on a dead network may hang much longer."""


class SecretReads(Protocol):
    """The part of application.reads.keys.KeyReads that is used here."""

    async def with_secret(self, secret_hash: bytes) -> FoundKey | None: ...


class CachedKeyDirectory:
    """Serves one event loop; `tail.run()` must be running.

    patience_s: longest wait for a key look-up; after that the ledger counts as out of reach.
    """

    def __init__(
        self,
        reads: SecretReads,
        ledger: Ledger,
        personal_data: PersonalData,
        clock: Clock,
        info: str,
        patience_s: float,
    ) -> None:
        self._reads = reads
        self._ledger = ledger
        self._personal_data = personal_data
        self._clock = clock
        self._patience_s = patience_s
        self._look_ups: dict[bytes, tuple[float, asyncio.Task[FoundKey | None]]] = {}
        self._entries: OrderedDict[bytes, FoundKey] = OrderedDict()
        self._hashes_of: dict[str, set[bytes]] = {}
        self._none_until_s: dict[bytes, float] = {}
        self._newest: OrderedDict[str, int] = OrderedDict()
        self._floor = 0
        self.tail = AccessTail(info, self._invalidate, self._forget_all)

    def remembered(self, secret: str) -> Caller | None:
        secret_hash = self._personal_data.keyed_hash("key_secret", secret)
        found = self._entries.get(secret_hash) if self.tail.is_fresh() else None
        return None if found is None else _admitted(found, secret_hash, self._clock.now())

    async def authenticate(self, secret: str) -> Caller:
        await self.tail.end_of_rest(KEY_READ_PATIENCE_S)
        caller = self.remembered(secret)
        if caller is not None:
            return caller
        if not is_secret(secret):
            raise DomainError("invalid_api_key")
        secret_hash = self._personal_data.keyed_hash("key_secret", secret)
        found = None
        if not self._is_known_to_be_none(secret_hash):
            found = await self._look_up_once(secret_hash)
            if found is None:
                self._note_none(secret_hash)
        return _admitted(found, secret_hash, self._clock.now())

    def _is_known_to_be_none(self, secret_hash: bytes) -> bool:
        return asyncio.get_running_loop().time() < self._none_until_s.get(secret_hash, 0.0)

    def _note_none(self, secret_hash: bytes) -> None:
        """A later key cannot have this secret, since secrets are drawn at random."""
        self._none_until_s.pop(secret_hash, None)
        self._none_until_s[secret_hash] = asyncio.get_running_loop().time() + NONE_S
        if len(self._none_until_s) > MAX_NONE:
            del self._none_until_s[next(iter(self._none_until_s))]

    async def _look_up_once(self, secret_hash: bytes) -> FoundKey | None:
        """Callers with the same secret share one running look-up: streams are read on one connection, so ten look-ups
        over a slow network would exceed each caller's patience.
        """
        began_s, look_up = self._look_ups.get(secret_hash, (-SHARED_S, None))
        now_s = asyncio.get_running_loop().time()
        if look_up is None or now_s - began_s >= SHARED_S:
            look_up = asyncio.create_task(self._look_up_in_time(secret_hash))
            look_up.add_done_callback(partial(self._looked_up, secret_hash))
            self._look_ups[secret_hash] = (now_s, look_up)
        return await asyncio.shield(look_up)

    def _looked_up(self, secret_hash: bytes, look_up: "asyncio.Task[FoundKey | None]") -> None:
        """A failed look-up without waiting callers is no error."""
        if self._look_ups[secret_hash][1] is look_up:
            del self._look_ups[secret_hash]
        if not look_up.cancelled():
            look_up.exception()

    async def _look_up_in_time(self, secret_hash: bytes) -> FoundKey | None:
        """Raises: DomainError ledger_unavailable."""
        try:
            async with asyncio.timeout(self._patience_s):
                return await self._look_up(secret_hash)
        except TimeoutError:
            raise DomainError("ledger_unavailable", retry_after_s=1) from None

    async def _look_up(self, secret_hash: bytes) -> FoundKey | None:
        """Read the key from the read model if that is new enough, else from the streams; only the former is cached."""
        found = await self._read(secret_hash) if self.tail.is_fresh() else None
        if found is not None and self._is_current(found):
            confirmed = await self._confirmed(found, secret_hash)
            if confirmed is not None and self._is_current(confirmed):  # again: time has passed
                self._keep(secret_hash, confirmed)
                return confirmed
        return await self._from_streams(secret_hash)

    async def _confirmed(self, found: FoundKey, secret_hash: bytes) -> FoundKey | None:
        """The key and its account as in their streams; None if the secret is not that key's. Two reads for each new
        entry."""
        key, state = await self._now(found.key.key_id)
        return FoundKey(key, state, found.position) if secret_hash in key.hashes else None

    async def _read(self, secret_hash: bytes) -> FoundKey | None:
        """Also None if the read model does not answer: the streams have a bounded wait and an error for that."""
        try:
            async with asyncio.timeout(KEY_READ_PATIENCE_S):
                return await self._reads.with_secret(secret_hash)
        except LOST:
            return None

    async def _from_streams(self, secret_hash: bytes) -> FoundKey | None:
        stream = await self._ledger.holder_of(Claim("key_secret", secret_hash))
        if stream is None:
            return None
        key, state = await self._now(owner_of(stream))
        return FoundKey(key, state, 0)

    async def _now(self, key_id: str) -> tuple[ApiKey, AccountState]:
        """The key and the state of its account, from their own streams."""
        key = await self._ledger.state_of(API_KEY, key_id)
        account = await self._ledger.state_of(ACCOUNT, key.account_id)
        return key, account.state

    def _is_current(self, found: FoundKey) -> bool:
        """Whether the entry is new enough. The tail must still be fresh: it may have gone stale during the query."""
        if not self.tail.is_fresh():
            return False
        floor = max(self._floor, self.tail.started_at)
        return all(found.position >= self._newest.get(stream, floor) for stream in _streams_of(found))

    def _keep(self, secret_hash: bytes, found: FoundKey) -> None:
        self._entries[secret_hash] = found
        for stream in _streams_of(found):
            self._hashes_of.setdefault(stream, set()).add(secret_hash)
        if len(self._entries) > MAX_ENTRIES:
            oldest, dropped = self._entries.popitem(last=False)
            self._forget(oldest, dropped)

    def _forget(self, secret_hash: bytes, found: FoundKey) -> None:
        for stream in _streams_of(found):
            hashes = self._hashes_of.get(stream, set())
            hashes.discard(secret_hash)
            if not hashes:
                self._hashes_of.pop(stream, None)

    def _forget_all(self) -> None:
        """The tail starts again: no entry is trusted until then, and later none older than its start."""
        self._entries.clear()
        self._hashes_of.clear()
        self._newest.clear()
        self._floor = 0

    def _invalidate(self, stream: str, position: int) -> None:
        """A key or an account has a new event: drop its entries, and trust no older ones from now on."""
        for secret_hash in self._hashes_of.pop(stream, set()):
            found = self._entries.pop(secret_hash, None)
            if found is not None:
                self._forget(secret_hash, found)
        self._newest[stream] = position
        self._newest.move_to_end(stream)
        if len(self._newest) > MAX_INVALIDATIONS:
            _, oldest = self._newest.popitem(last=False)
            self._floor = max(self._floor, oldest)


def _streams_of(found: FoundKey) -> tuple[str, str]:
    return API_KEY.stream(found.key.key_id), ACCOUNT.stream(found.key.account_id)


def _admitted(found: FoundKey | None, secret_hash: bytes, now: datetime) -> Caller:
    """Raises: DomainError invalid_api_key, api_key_disabled, api_key_expired, account_not_served."""
    if found is None:
        raise DomainError("invalid_api_key")
    key = found.key
    refusal = key.refusal(secret_hash, now)
    if refusal is not None:
        raise DomainError(refusal)
    if not may_be_served(found.account_state):
        raise DomainError("account_not_served", state=found.account_state)
    return Caller(
        key_id=key.key_id,
        account_id=key.account_id,
        kind=key.kind,
        environment=key.environment,
        account_state=found.account_state,
        limit=key.settings.limit,
    )
