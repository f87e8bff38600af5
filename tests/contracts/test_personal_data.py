"""What application.ports.personal_data promises, with data keys in PostgreSQL."""

from collections.abc import AsyncIterator

import pytest
from cryptography.fernet import Fernet

from adapters.outbound.crypto.personal_data import SealedPersonalData
from adapters.outbound.postgres.read.content import PostgresDataKeys
from application.ports.personal_data import PersonalData
from domain.errors import DomainError
from tests.fakes.memory_personal_data import MemoryPersonalData
from tests.rigs.databases import Database
from tests.rigs.postgres.asking import pool_of

PORT = PersonalData
SUBJECTS = {"memory": MemoryPersonalData, "sealed": SealedPersonalData}


@pytest.fixture
async def personal_data(subject: str, request: pytest.FixtureRequest) -> AsyncIterator[PersonalData]:
    if subject == "memory":
        yield MemoryPersonalData()
        return
    database: Database = request.getfixturevalue("database")
    async with pool_of(database) as pool:
        yield SealedPersonalData(b"pepper", [Fernet.generate_key()], PostgresDataKeys(pool))


@pytest.mark.parametrize("plain", [b"", b"erased", "Z\u00fcrich".encode(), b"x" * 10_000])
async def test_what_was_sealed_can_be_opened(personal_data: PersonalData, plain: bytes) -> None:
    await personal_data.create_key("a")
    sealed = await personal_data.seal("a", plain)
    assert sealed != plain
    assert await personal_data.open("a", sealed) == plain


async def test_a_second_key_does_not_replace_the_first(personal_data: PersonalData) -> None:
    await personal_data.create_key("a")
    sealed, commitment = await personal_data.seal("a", b"text"), await personal_data.commitment("a")
    await personal_data.create_key("a")
    assert await personal_data.open("a", sealed) == b"text"
    assert await personal_data.commitment("a") == commitment


async def test_without_a_key_nothing_is_sealed_and_nothing_is_read(personal_data: PersonalData) -> None:
    await personal_data.create_key("a")
    sealed = await personal_data.seal("a", b"text")
    for refused in (personal_data.seal("gone", b"text"), personal_data.commitment("gone")):
        with pytest.raises(DomainError) as refusal:
            await refused
        assert refusal.value.code == "account_erased"
    assert await personal_data.open("gone", sealed) == b"erased"


async def test_what_another_account_sealed_cannot_be_read(personal_data: PersonalData) -> None:
    await personal_data.create_key("a")
    await personal_data.create_key("b")
    assert await personal_data.open("b", await personal_data.seal("a", b"text")) == b"cannot be read"
    assert await personal_data.commitment("a") != await personal_data.commitment("b")


def test_a_keyed_hash_is_the_same_for_the_same_kind_and_value_only(personal_data: PersonalData) -> None:
    asked = [("email", "x"), ("username", "x"), ("email", "y")]
    assert len({personal_data.keyed_hash(*one) for one in asked}) == len(asked)
    assert personal_data.keyed_hash("email", "x") == personal_data.keyed_hash("email", "x")


async def test_a_fingerprint_is_of_one_text_of_one_account(personal_data: PersonalData) -> None:
    await personal_data.create_key("a")
    await personal_data.create_key("b")
    mark = await personal_data.fingerprint("a", b"text")
    assert len(mark) == 32
    assert await personal_data.fingerprint("a", b"text") == mark
    assert mark not in (await personal_data.fingerprint("a", b"texts"), await personal_data.fingerprint("b", b"text"))
    with pytest.raises(DomainError, match="account_erased"):
        await personal_data.fingerprint("gone", b"text")
