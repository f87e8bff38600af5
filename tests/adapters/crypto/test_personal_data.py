"""Personal data can be read with the account's key, and by nobody once that is gone."""

import asyncio

import pytest
from cryptography.fernet import Fernet
from psycopg_pool import AsyncConnectionPool

from adapters.outbound.crypto import personal_data
from adapters.outbound.crypto.personal_data import ERASED, UNREADABLE, SealedPersonalData
from adapters.outbound.crypto.wrapping import Wrapping
from adapters.outbound.postgres.read.content import PostgresDataKeys
from domain.errors import DomainError
from tests.rigs.databases import Database

OLD, NEW = Fernet.generate_key(), Fernet.generate_key()
PEPPER = b"pepper"


class MemoryDataKeys:
    def __init__(self) -> None:
        self.wrapped: dict[str, bytes] = {}
        self.asked = 0

    async def put(self, account_id: str, wrapped: bytes) -> None:
        self.wrapped.setdefault(account_id, wrapped)

    async def get(self, account_id: str) -> bytes | None:
        self.asked += 1
        return self.wrapped.get(account_id)


@pytest.fixture
def data_keys() -> MemoryDataKeys:
    return MemoryDataKeys()


async def with_account(data_keys: MemoryDataKeys, *keyring: bytes, account: str = "a") -> SealedPersonalData:
    data = SealedPersonalData(PEPPER, keyring or (OLD,), data_keys)
    await data.create_key(account)
    return data


@pytest.mark.parametrize("plain", [b"", b"a", b"x" * 100_000, "Zürich".encode(), ERASED])
async def test_what_was_sealed_can_be_opened(data_keys: MemoryDataKeys, plain: bytes) -> None:
    data = await with_account(data_keys)
    sealed = await data.seal("a", plain)
    assert await data.open("a", sealed) == plain
    assert len(plain) < 5 or plain not in sealed  # a single byte may be there by chance


async def test_the_same_text_is_never_sealed_the_same_way_twice(data_keys: MemoryDataKeys) -> None:
    data = await with_account(data_keys)
    assert len({await data.seal("a", b"same") for _ in range(100)}) == 100


async def test_another_process_opens_it(data_keys: MemoryDataKeys) -> None:
    sealed = await (await with_account(data_keys)).seal("a", b"text")
    assert await SealedPersonalData(PEPPER, [OLD], data_keys).open("a", sealed) == b"text"


async def test_an_account_keeps_its_first_key(data_keys: MemoryDataKeys) -> None:
    data = await with_account(data_keys)
    sealed = await data.seal("a", b"text")
    await data.create_key("a")
    assert await SealedPersonalData(PEPPER, [OLD], data_keys).open("a", sealed) == b"text"


async def test_what_was_sealed_for_one_account_cannot_be_passed_off_as_anothers(data_keys: MemoryDataKeys) -> None:
    data = await with_account(data_keys)
    await data.create_key("b")
    ring = Wrapping([OLD])
    data_keys.wrapped["c"] = ring.wrap("c", ring.unwrap("a", data_keys.wrapped["a"]))  # not even with the very same key
    sealed = await data.seal("a", b"text")
    for other in ("b", "c"):
        assert await data.open(other, sealed) == UNREADABLE


async def test_what_was_changed_is_not_opened(data_keys: MemoryDataKeys) -> None:
    data = await with_account(data_keys)
    sealed = await data.seal("a", b"text")
    for changed in (sealed[:-1], sealed[:5], b"", bytes([sealed[0] ^ 1]) + sealed[1:], sealed + b"\0"):
        assert await data.open("a", changed) == UNREADABLE


async def test_with_its_key_an_account_is_erased_here_and_elsewhere_within_a_second(
    data_keys: MemoryDataKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that had the key in memory forgets it too."""
    data = await with_account(data_keys)
    sealed = await data.seal("a", b"text")
    data_keys.wrapped.clear()
    loop = asyncio.get_running_loop()
    now_s = loop.time() + personal_data.KEY_TTL_S + 0.001
    assert personal_data.KEY_TTL_S <= 1
    monkeypatch.setattr(loop, "time", lambda: now_s)
    assert await data.open("a", sealed) == ERASED
    with pytest.raises(DomainError, match="account_erased"):
        await data.seal("a", b"more")


async def test_nobody_has_a_key_that_was_never_made(data_keys: MemoryDataKeys) -> None:
    data = SealedPersonalData(PEPPER, [OLD], data_keys)
    assert await data.open("a", b"anything") == ERASED
    with pytest.raises(DomainError, match="account_erased"):
        await data.seal("a", b"text")


async def test_keys_are_kept_for_a_moment(data_keys: MemoryDataKeys) -> None:
    data = await with_account(data_keys)
    for _ in range(20):
        await data.seal("a", b"text")
    assert data_keys.asked == 1


async def test_the_keyring_can_be_rotated(data_keys: MemoryDataKeys) -> None:
    sealed = await (await with_account(data_keys, OLD)).seal("a", b"text")
    rotated = await with_account(data_keys, NEW, OLD, account="b")
    assert await rotated.open("a", sealed) == b"text"
    sealed_b = await rotated.seal("b", b"new")
    assert await SealedPersonalData(PEPPER, [NEW], data_keys).open("b", sealed_b) == b"new"


async def test_with_another_installations_keyring_nothing_is_read_or_sealed(data_keys: MemoryDataKeys) -> None:
    sealed = await (await with_account(data_keys, OLD)).seal("a", b"text")
    stranger = SealedPersonalData(PEPPER, [NEW], data_keys)
    assert await stranger.open("a", sealed) == UNREADABLE
    with pytest.raises(DomainError, match="account_unreadable"):
        await stranger.seal("a", b"text")


async def test_with_the_data_key_of_another_account_nothing_is_read_or_sealed(data_keys: MemoryDataKeys) -> None:
    data = await with_account(data_keys)
    await data.create_key("b")
    sealed = await data.seal("a", b"text")
    data_keys.wrapped["a"] = data_keys.wrapped["b"]
    afresh = SealedPersonalData(PEPPER, [OLD], data_keys)
    assert await afresh.open("a", sealed) == UNREADABLE
    with pytest.raises(DomainError, match="account_unreadable"):
        await afresh.seal("a", b"text")


def test_keyed_hashes_depend_on_the_pepper_the_kind_and_the_value() -> None:
    here, there = (SealedPersonalData(pepper, [OLD], MemoryDataKeys()) for pepper in (b"one", b"other"))
    hashes = {
        here.keyed_hash("email", "a"),
        here.keyed_hash("email", "b"),
        here.keyed_hash("username", "a"),
        there.keyed_hash("email", "a"),
        here.keyed_hash("ema", "il\0a"),
    }
    assert len(hashes) == 5
    assert here.keyed_hash("email", "a") == SealedPersonalData(b"one", [NEW], MemoryDataKeys()).keyed_hash("email", "a")


async def test_the_database_keeps_the_first_key_and_lets_only_its_owner_drop_it(database: Database) -> None:
    async with AsyncConnectionPool(
        database.writer, min_size=1, max_size=2, open=False, kwargs={"autocommit": True}
    ) as pool:
        kept = PostgresDataKeys(pool)
        assert await kept.get("a") is None
        await kept.put("a", b"first\0\xff")
        await kept.put("a", b"second")
        assert await kept.get("a") == b"first\0\xff"
        database.sql("DELETE FROM ledger.data_keys")
        assert await kept.get("a") is None
