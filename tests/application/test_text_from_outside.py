"""What people name themselves is one line of printable characters before it is sealed into the log for ever."""

import pytest

from adapters.outbound.crypto.clock_and_ids import SystemIds
from application.check_reason import check_reason
from application.open_account import OpenAccount
from domain.errors import DomainError
from tests.fakes.memory_ledger import MemoryLedger
from tests.fakes.memory_personal_data import MemoryPersonalData
from tests.fakes.movable_clock import MovableClock

NASTY = ("\x1b]0;own\x07", "\x00", "\u202e", "\u2066", "\x9b31m", "\u200b", "\x7f")


@pytest.mark.parametrize("mark", NASTY)
def test_a_reason_with_an_unprintable_character_is_refused(mark: str) -> None:
    check_reason("credit for a test")
    with pytest.raises(DomainError) as refused:
        check_reason(f"credit for {mark} a test")
    assert refused.value.facts["param"] == "reason"


@pytest.mark.parametrize("mark", NASTY)
async def test_so_is_an_email(mark: str) -> None:
    open_account = OpenAccount(MemoryLedger(), MemoryPersonalData(), MovableClock(), SystemIds())
    with pytest.raises(DomainError) as refused:
        await open_account("alice", f"a{mark}@b.co")
    assert refused.value.facts["param"] == "email"
