"""HMAC-SHA256 (RFC 2104) under one key, for many texts."""

import hashlib

_BLOCK_BYTES = 64
_INNER, _OUTER = 0x36, 0x5C


class KeyedHash:
    """As `hmac.digest(key, text, "sha256")`, at half its cost: the key's two blocks are hashed once.

    OpenSSL prepares an HMAC each time, which takes longer than to hash a secret, and each request hashes one.
    """

    def __init__(self, key: bytes) -> None:
        block = (key if len(key) <= _BLOCK_BYTES else hashlib.sha256(key).digest()).ljust(_BLOCK_BYTES, b"\0")
        self._inner = hashlib.sha256(bytes(byte ^ _INNER for byte in block))
        self._outer = hashlib.sha256(bytes(byte ^ _OUTER for byte in block))

    def __call__(self, text: bytes) -> bytes:
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(text)
        outer.update(inner.digest())
        return outer.digest()
