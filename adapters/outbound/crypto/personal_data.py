"""Sealing under per-account data keys, which the keyring wraps."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from typing import Protocol

from adapters.outbound.crypto.data_key import DataKey, Keyring, NotSealedHere
from adapters.outbound.crypto.keyed_hash import KeyedHash
from adapters.outbound.crypto.wrapping import WrongKeyring
from domain.errors import DomainError

ERASED = b"erased"
UNREADABLE = b"cannot be read"
MAX_CACHED_KEYS = 10_000
"""About 300 bytes each. An account's key is needed once per stored answer or displayed label."""

KEY_TTL_S = 1.0
"""A process with an account's key in memory must soon learn that the account was erased."""


class DataKeys(Protocol):
    """Wrapped data keys by account, outside the log."""

    async def put(self, account_id: str, wrapped: bytes) -> None:
        """Keep the account's first key; a second one is ignored."""
        ...

    async def get(self, account_id: str) -> bytes | None: ...


class SealedPersonalData:
    def __init__(self, pepper: bytes, keyring: Sequence[bytes], data_keys: DataKeys) -> None:
        self._keyed_hash = KeyedHash(pepper)
        self._keyring = Keyring(keyring)
        self._data_keys = data_keys
        self._known: OrderedDict[str, tuple[DataKey, float]] = OrderedDict()

    async def create_key(self, account_id: str) -> None:
        await self._data_keys.put(account_id, self._keyring.new_key(account_id))

    async def seal(self, account_id: str, data: bytes) -> bytes:
        return (await self._existing_key(account_id)).seal(data)

    async def fingerprint(self, account_id: str, data: bytes) -> bytes:
        return (await self._existing_key(account_id)).fingerprint(data)

    async def commitment(self, account_id: str) -> bytes:
        return (await self._existing_key(account_id)).commitment

    async def open(self, account_id: str, sealed: bytes) -> bytes:
        try:
            key = await self._key(account_id)
            return ERASED if key is None else key.open(sealed)
        except (WrongKeyring, NotSealedHere):
            return UNREADABLE

    def keyed_hash(self, kind: str, value: str) -> bytes:
        return self._keyed_hash(f"{kind}\0{value}".encode())

    async def _existing_key(self, account_id: str) -> DataKey:
        try:
            key = await self._key(account_id)
        except WrongKeyring:
            raise DomainError("account_unreadable", account_id=account_id) from None
        if key is None:
            raise DomainError("account_erased", account_id=account_id)
        return key

    async def _key(self, account_id: str) -> DataKey | None:
        now_s = asyncio.get_running_loop().time()
        found = self._known.get(account_id)
        if found is not None and now_s < found[1]:
            return found[0]
        self._known.pop(account_id, None)
        wrapped = await self._data_keys.get(account_id)
        if wrapped is None:
            return None
        key = self._keyring.unwrap(account_id, wrapped)
        self._known[account_id] = key, now_s + KEY_TTL_S
        if len(self._known) > MAX_CACHED_KEYS:
            self._known.popitem(last=False)
        return key
