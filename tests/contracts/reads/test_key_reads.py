"""What application.reads.keys promises."""

from datetime import timedelta

from adapters.outbound.postgres.read.keys import PostgresKeyReads
from application.reads.keys import KeyReads, KeySpending
from domain.account.account import ACCOUNT, ChangeState
from domain.api_key.api_key import API_KEY, Change, Revoke, Rotate
from domain.api_key.events import KeySettings, Secret
from domain.window import KeyLimit
from tests.contracts.reads.logs import Told, credit, grant
from tests.fakes.reads.keys import MemoryKeyReads
from tests.projections.story import Log, reserve, settle

SUBJECTS = {"memory": MemoryKeyReads, "postgres": PostgresKeyReads}
PORT = KeyReads


async def test_a_key_is_found_by_its_secret_as_the_aggregate_has_it(told: Told, log: Log) -> None:
    settings = KeySettings(label=b"l", limit=KeyLimit(7, "daily"), expires_at=log.at + timedelta(days=1))
    log.command(API_KEY, "acct-k0", Change(at=log.at, settings=settings))
    log.command(ACCOUNT, "acct", ChangeState(at=log.at, state="past_due"))
    keys = (await told(log.events)).keys
    found = await keys.with_secret(b"hash of acct-k0")
    assert found is not None
    assert found.key == log.states["key-acct-k0"]
    assert (found.account_state, found.position) == ("past_due", len(log.events))


async def test_the_former_secret_finds_the_key_within_its_grace(told: Told, log: Log) -> None:
    rotate = Rotate(at=log.at, secret=Secret(b"second", "2222"), grace_s=3_600)
    log.command(API_KEY, "acct-k0", rotate)
    keys = (await told(log.events)).keys
    found = await keys.with_secret(b"hash of acct-k0")
    assert found is not None and found.key == log.states["key-acct-k0"]
    assert found.key.refusal(b"hash of acct-k0", log.at) is None
    assert found.key.refusal(b"hash of acct-k0", log.at + timedelta(hours=1)) == "invalid_api_key"


async def test_a_secret_of_two_rotations_ago_opens_nothing(told: Told, log: Log) -> None:
    for name in (b"second", b"third"):
        log.command(API_KEY, "acct-k0", Rotate(at=log.at, secret=Secret(name, "xxxx"), grace_s=3_600))
    keys = (await told(log.events)).keys
    for name in (b"hash of acct-k0", b"second", b"third"):
        found = await keys.with_secret(name)
        assert found is not None and found.key == log.states["key-acct-k0"]


async def test_an_unknown_secret_finds_nothing(told: Told, log: Log) -> None:
    keys = (await told(log.events)).keys
    assert await keys.with_secret(b"?") is None


async def test_keys_are_listed_with_what_they_spent(told: Told, log: Log) -> None:
    credit(log, grant(log, amount_nusd=10**9))
    for days, reservation in ((0, "r0"), (1, "r1"), (6, "r6"), (9, "r9")):
        log.at += timedelta(days=days)
        credit(log, reserve(log, "acct", "acct-k1", reservation), settle(log, reservation, 100))
    log.command(API_KEY, "acct-k0", Revoke(at=log.at))
    keys = (await told(log.events)).keys
    listed = await keys.of_account("acct", log.at)
    assert [record.key.key_id for record in listed] == ["acct-k1"]
    cost = 195_000
    # Sunday 22, Monday 23 and 29 November, 8 December: of these one lies in December and in its week
    assert listed[0].spending == KeySpending(4 * cost, cost, cost, cost, 4)
    back = await keys.of_account("acct", log.at - timedelta(days=9))
    assert back[0].spending == KeySpending(4 * cost, 2 * cost, 3 * cost, 4 * cost, 4)


async def test_one_key_is_read_revoked_or_not_but_only_of_its_account(told: Told, log: Log) -> None:
    log.command(API_KEY, "acct-k0", Revoke(at=log.at))
    keys = (await told(log.events)).keys
    found = await keys.find("acct", "acct-k0", log.at)
    assert found is not None and found.key.revoked and found.position == len(log.events)
    assert found.spending == KeySpending()
    assert await keys.find("other", "acct-k0", log.at) is None


async def test_a_closed_account_is_found_with_its_key(told: Told, log: Log) -> None:
    log.command(ACCOUNT, "acct", ChangeState(at=log.at, state="closed"))
    found = await (await told(log.events)).keys.with_secret(b"hash of acct-k0")
    assert found is not None and found.account_state == "closed"
