"""Claims: names that only one stream may hold, such as an email, and how events store them."""

from collections.abc import Sequence

import msgspec


class Claim(msgspec.Struct, frozen=True, array_like=True):
    """`hash` is keyed, so the name itself is never stored."""

    kind: str
    hash: bytes


def encode_claims(claims: Sequence[Claim]) -> bytes:
    """The plaintext that an event seals under its account's data key."""
    return msgspec.msgpack.encode(claims)


def decode_claims(encoded: bytes) -> list[Claim]:
    """Raises: msgspec.DecodeError."""
    return msgspec.msgpack.decode(encoded, type=list[Claim])
