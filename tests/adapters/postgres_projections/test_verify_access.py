"""P7: claims and data keys stand beside the log, and are held against it: with the keyring by what they are."""

import asyncio
from datetime import UTC, datetime
from typing import NamedTuple

import pytest
from cryptography.fernet import Fernet

from adapters.outbound.crypto.data_key import Keyring
from adapters.outbound.postgres.builds.project_log import Projector
from adapters.outbound.postgres.verify.examine_ledger import pinned_evidence
from adapters.outbound.postgres.verify.verify_access import KeyAccess
from application.accounts.open_account import OpenAccount
from application.audit.verify_ledger import Report, verify_ledger
from application.keys.change_key import ChangeKey
from application.keys.issue_key import IssueKey
from application.keys.rotate_key import RotateKey
from application.sealed import Sealed
from application.write import Asked
from tests.golden.logs.gateway import ledger_gateway
from tests.golden.logs.told import ToldSecrets
from tests.rigs.databases import Database

AT = datetime(2026, 11, 27, tzinfo=UTC)
RING = tuple(Fernet.generate_key().decode() for _ in range(2))
SECRETS = ToldSecrets("pepper of this test, thirty-two characters", RING[:1])


class House(NamedTuple):
    """Two accounts, ada's and bob's; ada's key was renamed and rotated, bob's second one revoked."""

    database: Database
    ada: str
    bob: str
    key: str


@pytest.fixture
def house(database: Database) -> House:
    Projector(database.projector).catch_up()
    ada, bob, key = asyncio.run(_lived(database))
    Projector(database.projector).catch_up()
    return House(database, ada, bob, key)


async def _lived(database: Database) -> tuple[str, str, str]:
    async with ledger_gateway(database.writer, SECRETS, AT) as gateway:
        gateway.reads.positions.wait_for = _at_once  # type: ignore[method-assign]
        uses, admin = gateway.use_cases, Asked("admin")
        ada, bob = [(await uses.open_account(named(name), admin)).account_id for name in ("ada", "bob")]
        key = (await uses.issue_key(ada, labelled("first"), admin)).key_id
        await uses.change_key(ada, key, ChangeKey(label=Sealed("renamed")), admin)
        await uses.rotate_key(ada, key, RotateKey(), admin)
        await uses.issue_key(bob, labelled("kept"), admin)
        await uses.revoke_key(bob, (await uses.issue_key(bob, labelled("gone"), admin)).key_id)
    return ada, bob, key


def named(name: str) -> OpenAccount:
    return OpenAccount(username=Sealed(name), email=Sealed(f"{name}@example.com"))


def labelled(label: str) -> IssueKey:
    return IssueKey(label=Sealed(label), environment="live")


async def _at_once(position: int, timeout_s: float) -> bool:
    return True


def verdict(database: Database, ring: tuple[str, ...] | None = RING[:1]) -> Report:
    keys = None if ring is None else KeyAccess(database.writer, Keyring([key.encode() for key in ring]))
    with pinned_evidence(database.auditor, keys=keys) as evidence:
        report = verify_ledger(evidence, max_lag_s=3_600)
    print(*report.findings, sep="\n")
    return report


def test_what_the_use_cases_write_is_clean_and_committed(house: House) -> None:
    report = verdict(house.database)
    assert report.is_clean
    assert report.access is not None and report.access.has_keyring
    assert (report.access.accounts, report.access.keys) == (2, 3)
    assert (report.access.accounts_not_committed, report.access.keys_not_committed) == (0, 0)


def test_without_the_keyring_only_presence_is_checked_and_told(house: House) -> None:
    report = verdict(house.database, ring=None)
    assert report.is_clean and report.access is not None and not report.access.has_keyring


def test_a_data_key_that_was_wrapped_anew_is_the_same(house: House) -> None:
    ring = Keyring([RING[1].encode(), RING[0].encode()])
    ((wrapped,),) = house.database.sql("SELECT wrapped FROM ledger.data_keys WHERE account_id = %s", house.ada)
    anew = ring.rewrap(house.ada, bytes(wrapped))  # type: ignore[call-overload]
    house.database.sql("UPDATE ledger.data_keys SET wrapped = %s WHERE account_id = %s", anew, house.ada)
    assert verdict(house.database, ring=(RING[1], RING[0])).is_clean


def test_p7_another_data_key_that_unwraps_is_not_the_one_that_was_committed_to(house: House) -> None:
    """The keyring wraps a key for any account: only the commitment in the log shows which one is meant."""
    other = Keyring([key.encode() for key in RING]).new_key(house.ada)
    house.database.sql("UPDATE ledger.data_keys SET wrapped = %s WHERE account_id = %s", other, house.ada)
    texts = [str(finding) for finding in verdict(house.database).findings if finding.check == "data_keys"]
    assert any("is not the one that the account was opened with" in text for text in texts), texts


DAMAGES: list[tuple[str, str, str, bool]] = [
    (
        "a username's claim is gone",
        "DELETE FROM ledger.claims WHERE kind = 'username' AND stream LIKE '%{ada}'",
        "claims",
        True,
    ),
    (
        "an email's claim is another",
        "UPDATE ledger.claims SET hash = 'x' WHERE kind = 'email' AND stream LIKE '%{ada}'",
        "claims",
        False,
    ),
    (
        "a label's claim is gone",
        "DELETE FROM ledger.claims WHERE kind = 'key_label' AND stream LIKE '%{key}'",
        "claims",
        True,
    ),
    (
        "a label's claim is another",
        "UPDATE ledger.claims SET hash = 'x' WHERE kind = 'key_label' AND stream LIKE '%{key}'",
        "claims",
        False,
    ),
    (
        "a secret's claim is gone",
        "DELETE FROM ledger.claims WHERE kind = 'key_secret' AND stream LIKE '%{key}'",
        "claims",
        True,
    ),
    ("a claim of nobody", "INSERT INTO ledger.claims VALUES ('username', 'x', 'account-nobody')", "claims", True),
    ("one claim too many", "INSERT INTO ledger.claims VALUES ('username', 'x', 'account-{ada}')", "claims", True),
    (
        "a secret that was never issued",
        "INSERT INTO ledger.claims VALUES ('key_secret', 'x', 'key-{key}')",
        "claims",
        True,
    ),
    ("a data key is gone", "DELETE FROM ledger.data_keys WHERE account_id = '{ada}'", "data_keys", True),
    (
        "a data key is another account's",
        "UPDATE ledger.data_keys SET wrapped = (SELECT wrapped FROM ledger.data_keys WHERE account_id = '{bob}')"
        " WHERE account_id = '{ada}'",
        "data_keys",
        False,
    ),
    ("a data key is none", "UPDATE ledger.data_keys SET wrapped = 'x' WHERE account_id = '{ada}'", "data_keys", False),
]


@pytest.mark.parametrize(("damage", "check", "shows"), [d[1:] for d in DAMAGES], ids=[d[0] for d in DAMAGES])
def test_each_damage_is_found(house: House, damage: str, check: str, shows: bool) -> None:
    """`shows`: by presence alone."""
    house.database.sql(damage.format(ada=house.ada, bob=house.bob, key=house.key))
    assert {finding.check for finding in verdict(house.database).findings} == {check}
    assert verdict(house.database, ring=None).is_clean is not shows
