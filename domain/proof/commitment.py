"""A commitment to an account's data key. The opening event stores it, so that a replaced key is noticed."""

from hashlib import sha256

DOMAIN = b"gatewayz data key v1\0"


def commitment(account_id: str, data_key: bytes) -> bytes:
    """A hash of the unwrapped key, so that it stays the same when the key is wrapped under another key of the ring. The
    key has 256 random bits, so its hash does not reveal it."""
    name = account_id.encode()
    return sha256(DOMAIN + len(name).to_bytes(4, "big") + name + data_key).digest()
