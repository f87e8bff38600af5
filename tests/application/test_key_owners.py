"""P2: the write path: a reservation's key belongs to the account whose credit it holds."""

import pytest

from application.generate.key_owners import KeyOwners
from application.ports.key_directory import Caller
from domain.api_key.api_key import API_KEY, Issue
from domain.api_key.events import KeySettings, Secret
from domain.command_ids import named_id
from domain.errors import DomainError
from tests.domain.credit_words import NOW
from tests.fakes.memory_ledger import MemoryLedger


class CountingLedger(MemoryLedger):
    reads = 0

    async def state_of(self, decider, owner_id):
        self.reads += 1
        return await super().state_of(decider, owner_id)


@pytest.fixture
async def ledger() -> CountingLedger:
    made = CountingLedger()
    issue = Issue(
        at=NOW,
        key_id="k",
        account_id="a",
        kind="inference",
        environment="live",
        secret=Secret(b"hash", "last"),
        settings=KeySettings(label=b""),
    )
    await made.transact(API_KEY, "k", issue, command_id=named_id("test", "issue"))
    return made


def caller(account_id: str, key_id: str = "k") -> Caller:
    return Caller(key_id, account_id, "inference", "live", "active", None)


async def test_p2_its_own_key_is_let_through_and_read_once(ledger: CountingLedger) -> None:
    owners = KeyOwners(ledger)
    assert not owners.knows(caller("a"))
    for _ in range(100):
        await owners.require(caller("a"))
    assert ledger.reads == 1
    assert owners.knows(caller("a"))
    assert not owners.knows(caller("b"))


@pytest.mark.parametrize("who", [caller("b"), caller("a", "never-issued")], ids=["another's", "no key"])
async def test_p2_any_other_is_refused_each_time(ledger: CountingLedger, who: Caller) -> None:
    owners = KeyOwners(ledger)
    for _ in range(2):
        with pytest.raises(DomainError) as refused:
            await owners.require(who)
        assert refused.value.code == "invalid_api_key"
