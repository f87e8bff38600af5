"""A commitment to an account's data key: its opening event holds it, so that another key in its place is noticed."""

from hashlib import sha256

DOMAIN = b"gatewayz data key v1\0"


def commitment(account_id: str, data_key: bytes) -> bytes:
    """Of the unwrapped key, so that wrapping it anew under another key of the ring changes nothing. The key has 256
    random bits, so its hash tells nothing of it."""
    name = account_id.encode()
    return sha256(DOMAIN + len(name).to_bytes(4, "big") + name + data_key).digest()
