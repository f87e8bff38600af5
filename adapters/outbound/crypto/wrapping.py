"""Data keys, wrapped by the keyring: AES-256-GCM with the account id as associated data, so that a wrapped key
does not open for another account. Keys wrapped by Fernet (the first version's form) still open.

A wrapped key is: a byte for this form, the mark of the key that wrapped it, a nonce, the ciphertext.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

BOUND = b"\x01"
"""No Fernet token begins with this byte: tokens are base64."""

MARK_BYTES = 4
"""Selects the key of a ring without trying each; a wrong key with the same mark fails to open."""

NONCE_BYTES = 12
PURPOSE = b"gatewayz data key of "


class WrongKeyring(ValueError):
    """A data key cannot be unwrapped: the keyring is another installation's. Restore secrets.json or its variables."""


class Wrapping:
    """keys: Fernet keys; the first wraps, all unwrap, so that the ring can be rotated."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = [_Key(key) for key in keys]
        self._fernet = MultiFernet([Fernet(key) for key in keys])

    def wrap(self, account_id: str, data_key: bytes) -> bytes:
        first = self._keys[0]
        nonce = secrets.token_bytes(NONCE_BYTES)
        return BOUND + first.mark + nonce + first.cipher.encrypt(nonce, data_key, _aad(account_id))

    def unwrap(self, account_id: str, wrapped: bytes) -> bytes:
        """Raises: WrongKeyring, also for another account's key."""
        try:
            if not wrapped.startswith(BOUND):
                return self._fernet.decrypt(wrapped)
        except InvalidToken:
            raise WrongKeyring(account_id) from None
        mark, rest = wrapped[1 : 1 + MARK_BYTES], wrapped[1 + MARK_BYTES :]
        for key in self._keys:
            if key.mark == mark:
                try:
                    return key.cipher.decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], _aad(account_id))
                except (InvalidTag, ValueError):
                    continue
        raise WrongKeyring(account_id)

    def is_current(self, wrapped: bytes) -> bool:
        """Whether the ring's first key wrapped it, in this form; it then needs no other key."""
        return wrapped.startswith(BOUND + self._keys[0].mark)


class _Key:
    """Two keys derived from one, one for each purpose."""

    def __init__(self, fernet_key: bytes) -> None:
        raw = base64.urlsafe_b64decode(fernet_key)
        self.mark = hmac.digest(raw, b"gatewayz mark of a keyring key", hashlib.sha256)[:MARK_BYTES]
        self.cipher = AESGCM(hmac.digest(raw, b"gatewayz wrapping of data keys", hashlib.sha256))


def _aad(account_id: str) -> bytes:
    return PURPOSE + account_id.encode()
