"""The hash of secrets is HMAC-SHA256: what is in the ledger must be found for ever."""

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.outbound.crypto.keyed_hash import KeyedHash


@given(key=st.binary(max_size=200), texts=st.lists(st.binary(max_size=300), min_size=1, max_size=3))
def test_it_is_HMAC_SHA256_whatever_was_hashed_before(key: bytes, texts: list[bytes]) -> None:
    keyed_hash = KeyedHash(key)
    assert [keyed_hash(text) for text in texts] == [hmac.digest(key, text, hashlib.sha256) for text in texts]


@pytest.mark.parametrize("size", [0, 63, 64, 65, 128])
def test_a_key_is_one_block_of_the_hash_however_long_it_is(size: int) -> None:
    key = b"k" * size
    assert KeyedHash(key)(b"text") == hmac.digest(key, b"text", hashlib.sha256)
    assert KeyedHash(key)(b"text") != KeyedHash(key + b"k")(b"text")


def test_a_vector_of_RFC_4231() -> None:
    assert KeyedHash(b"Jefe")(b"what do ya want for nothing?").hex() == (
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    )
