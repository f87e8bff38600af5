"""One account's data key: seals, opens, fingerprints, and has a commitment.

AES-256-GCM with the account id as associated data: data sealed for one account does not open for another.
"""

import hmac
import secrets
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from adapters.outbound.crypto.wrapping import NONCE_BYTES, Wrapping
from domain.proof.commitment import commitment

KEY_BYTES = 32
FINGERPRINTS = b"gatewayz fingerprints v1"
"""Purpose string: fingerprints have their own key, derived from the data key, so that the data key only seals."""


class NotSealedHere(ValueError):
    """Sealed data was changed, or belongs to another account or key."""


class DataKey:
    def __init__(self, account_id: str, key: bytes) -> None:
        self._name = account_id.encode()
        self._cipher = AESGCM(key)
        self.commitment = commitment(account_id, key)
        self._key = key

    def seal(self, data: bytes) -> bytes:
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, data, self._name)

    def fingerprint(self, data: bytes) -> bytes:
        return hmac.digest(hmac.digest(self._key, FINGERPRINTS, "sha256"), data, "sha256")

    def open(self, sealed: bytes) -> bytes:
        """Raises: NotSealedHere."""
        try:
            if len(sealed) < NONCE_BYTES:
                raise InvalidTag
            return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], self._name)
        except InvalidTag:
            account_id = self._name.decode()
            raise NotSealedHere(
                f"sealed data of account {account_id} was changed or belongs to another account"
            ) from None


class Keyring:
    """Fernet keys; the first wraps data keys, all unwrap them, so that the ring can be rotated."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = keys
        self._wrapping = Wrapping(keys)

    def __reduce__(self) -> tuple[type["Keyring"], tuple[Sequence[bytes]]]:
        return Keyring, (self._keys,)

    def new_key(self, account_id: str) -> bytes:
        """A new data key, wrapped."""
        return self._wrapping.wrap(account_id, secrets.token_bytes(KEY_BYTES))

    def rewrap(self, account_id: str, wrapped: bytes) -> bytes:
        """The same data key under the ring's first key. Raises: WrongKeyring."""
        return self._wrapping.wrap(account_id, self._wrapping.unwrap(account_id, wrapped))

    def unwrap(self, account_id: str, wrapped: bytes) -> DataKey:
        """Raises: WrongKeyring."""
        return DataKey(account_id, self._wrapping.unwrap(account_id, wrapped))
