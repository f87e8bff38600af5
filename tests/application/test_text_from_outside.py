"""What people name themselves is one line of printable characters before it is sealed into the log for ever."""

import pytest

from application.accounts.open_account import Email
from application.sealed import Reason
from domain.errors import DomainError

NASTY = ("\x1b]0;own\x07", "\x00", "\u202e", "\u2066", "\x9b31m", "\u200b", "\x7f")


@pytest.mark.parametrize("mark", NASTY)
def test_a_reason_with_an_unprintable_character_is_refused(mark: str) -> None:
    Reason.check("credit for a test")
    with pytest.raises(DomainError) as refused:
        Reason.check(f"credit for {mark} a test")
    assert refused.value.facts["param"] == "reason"


@pytest.mark.parametrize("mark", NASTY)
def test_so_is_an_email(mark: str) -> None:
    with pytest.raises(DomainError) as refused:
        Email.check(f"a{mark}@b.co")
    assert refused.value.facts["param"] == "email"
