"""Sealing under per-account data keys (application.ports.PersonalData).

AES-256-GCM with the account id as associated data: what was sealed for one account cannot be passed off as another's.
Data keys are wrapped by the keyring (Fernet; the first key wraps, all unwrap, so the ring can be rotated).
"""

import asyncio
import hashlib
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Sequence
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

ERASED = b"erased"
NONCE_BYTES = 12
KEY_BYTES = 32
MAX_CACHED_KEYS = 10_000
"""About 300 bytes each; an account's key is needed once per stored answer or shown label."""

KEY_TTL_S = 1.0
"""A process that has an account's key in memory must soon find out that the account was erased."""


class DataKeys(Protocol):
    """Wrapped data keys by account, outside the log."""

    async def put(self, account_id: str, wrapped: bytes) -> None:
        """Keep the first key an account ever got; a second is ignored."""
        ...

    async def get(self, account_id: str) -> bytes | None: ...


class WrongKeyring(Exception):
    """A data key cannot be unwrapped: this keyring is another installation's. Restore secrets.json or its variables."""


class SealedPersonalData:
    def __init__(self, pepper: bytes, keyring: Sequence[bytes], data_keys: DataKeys) -> None:
        self._pepper = pepper
        self._keyring = MultiFernet([Fernet(key) for key in keyring])
        self._data_keys = data_keys
        self._ciphers: OrderedDict[str, tuple[AESGCM, float]] = OrderedDict()

    async def create_key(self, account_id: str) -> None:
        await self._data_keys.put(account_id, self._keyring.encrypt(secrets.token_bytes(KEY_BYTES)))

    async def seal(self, account_id: str, data: bytes) -> bytes:
        """Raises: KeyError if the account has no data key (any more)."""
        cipher = await self._cipher(account_id)
        if cipher is None:
            raise KeyError(account_id)
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + cipher.encrypt(nonce, data, account_id.encode())

    async def open(self, account_id: str, sealed: bytes) -> bytes:
        cipher = await self._cipher(account_id)
        if cipher is None:
            return ERASED
        try:
            if len(sealed) < NONCE_BYTES:
                raise InvalidTag
            return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], account_id.encode())
        except InvalidTag:
            raise ValueError(f"sealed data of account {account_id} was changed or belongs to another account") from None

    def keyed_hash(self, kind: str, value: str) -> bytes:
        return hmac.digest(self._pepper, f"{kind}\0{value}".encode(), hashlib.sha256)

    async def _cipher(self, account_id: str) -> AESGCM | None:
        now_s = asyncio.get_running_loop().time()
        found = self._ciphers.get(account_id)
        if found is not None and now_s < found[1]:
            return found[0]
        self._ciphers.pop(account_id, None)
        wrapped = await self._data_keys.get(account_id)
        if wrapped is None:
            return None
        try:
            cipher = AESGCM(self._keyring.decrypt(wrapped))
        except InvalidToken:
            raise WrongKeyring(account_id) from None
        self._ciphers[account_id] = cipher, now_s + KEY_TTL_S
        if len(self._ciphers) > MAX_CACHED_KEYS:
            self._ciphers.popitem(last=False)
        return cipher
