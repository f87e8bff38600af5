"""A data key is wrapped for its account, by the first key of the ring; all of the ring unwrap."""

import pytest
from cryptography.fernet import Fernet

from adapters.outbound.crypto.wrapping import Wrapping, WrongKeyring

OLD, NEW = Fernet.generate_key(), Fernet.generate_key()
DATA_KEY = b"k" * 32


def test_it_opens_for_its_account_alone() -> None:
    wrapped = Wrapping([OLD]).wrap("a", DATA_KEY)
    assert DATA_KEY not in wrapped
    assert Wrapping([OLD]).unwrap("a", wrapped) == DATA_KEY
    with pytest.raises(WrongKeyring):
        Wrapping([OLD]).unwrap("b", wrapped)


def test_every_key_of_the_ring_unwraps_and_the_first_wraps() -> None:
    wrapped = Wrapping([OLD]).wrap("a", DATA_KEY)
    both = Wrapping([NEW, OLD])
    assert both.unwrap("a", wrapped) == DATA_KEY
    assert not both.is_current(wrapped)
    again = both.wrap("a", DATA_KEY)
    assert both.is_current(again)
    assert Wrapping([NEW]).unwrap("a", again) == DATA_KEY
    with pytest.raises(WrongKeyring):
        Wrapping([OLD]).unwrap("a", again)


def test_what_the_first_version_wrapped_still_opens_and_is_not_current() -> None:
    wrapped = Fernet(OLD).encrypt(DATA_KEY)
    for ring in ([OLD], [NEW, OLD]):
        assert Wrapping(ring).unwrap("a", wrapped) == DATA_KEY
        assert not Wrapping(ring).is_current(wrapped)
    with pytest.raises(WrongKeyring):
        Wrapping([NEW]).unwrap("a", wrapped)


@pytest.mark.parametrize("at", [0, 1, 5, 17, -1])
def test_a_changed_byte_opens_nothing(at: int) -> None:
    wrapped = bytearray(Wrapping([OLD]).wrap("a", DATA_KEY))
    wrapped[at] ^= 1
    with pytest.raises(WrongKeyring):
        Wrapping([OLD]).unwrap("a", bytes(wrapped))


@pytest.mark.parametrize("wrapped", [b"", b"\x01", b"\x01abcd", b"\x01abcd" + bytes(12)])
def test_what_is_cut_off_opens_nothing(wrapped: bytes) -> None:
    with pytest.raises(WrongKeyring):
        Wrapping([OLD]).unwrap("a", wrapped)
