"""P5: what a command id stands for is its input, told by name; how every use case writes."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from application.credit.grant_credit import GrantCredit
from application.keys.rotate_key import RotateKey
from application.sealed import Reason, Sealed
from application.write import HASH_VERSION, Asked, Input, hash_of
from domain.command_ids import named_id, step_id
from domain.credit.commands import Grant
from domain.credit.decider import CREDIT
from domain.errors import DomainError
from tests.fakes.memory_personal_data import MemoryPersonalData
from tests.rigs.seam import Seam

NAME = UUID(int=7)
ADMIN = Asked("admin", NAME)
REASON = "goodwill after an outage"


class Wish(Input, frozen=True, kw_only=True):
    size: int
    colour: str = "red"
    reason: Sealed[Reason] | None = None


class Later(Input, frozen=True, kw_only=True):
    """`Wish` as a later version has it: another order, a new optional field."""

    note: str | None = None
    reason: Sealed[Reason] | None = None
    colour: str = "red"
    size: int


WISHES = st.builds(
    Wish,
    size=st.integers(0, 9),
    colour=st.sampled_from(["red", "blue"]),
    reason=st.sampled_from([None, Sealed(REASON)]),
)


def hashed(
    wanted: Input, account_id: str = "a", asked: Asked = ADMIN, kind: type[MemoryPersonalData] = MemoryPersonalData
) -> bytes:
    personal_data = kind()
    done(personal_data.create_key(account_id))
    hashed: bytes = done(hash_of(personal_data, account_id, wanted, asked))
    return hashed


def done(step: Any) -> Any:
    """Run a coroutine that waits for nothing."""
    try:
        step.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("it waits")


def told(wish: Input) -> dict[str, object]:
    return {name: getattr(wish, name) for name in wish.__struct_fields__}


@given(WISHES)
def test_P5_a_new_optional_field_and_another_order_change_no_hash(wish: Wish) -> None:
    assert hashed(Later(**told(wish))) == hashed(wish)  # type: ignore[arg-type]


@given(WISHES, WISHES)
def test_P5_two_inputs_have_one_hash_only_if_they_are_equal(one: Wish, other: Wish) -> None:
    assert (hashed(one) == hashed(other)) == (one == other)


def test_P5_a_field_that_a_later_version_adds_counts_once_it_is_used() -> None:
    wish = Later(size=1)
    assert hashed(replace(wish, note="new")) != hashed(wish)


def test_P5_whose_account_and_who_asks_count() -> None:
    wish = Wish(size=1)
    assert len({hashed(wish), hashed(wish, "b"), hashed(wish, asked=Asked("operator"))}) == 3
    assert hashed(wish, asked=Asked("admin")) == hashed(wish), "the name is what the hash is kept under"


def test_P5_two_spellings_of_an_amount_or_of_a_moment_are_one_input() -> None:
    moment = datetime(2030, 1, 1, 12, tzinfo=UTC)
    wanted = GrantCredit(amount_usd="12.5", kind="promo", reason=Sealed(REASON), expires_at=moment)
    elsewhere = moment.astimezone(timezone(timedelta(hours=2)))
    assert hashed(replace(wanted, amount_usd="12.50", expires_at=elsewhere)) == hashed(wanted)
    assert hashed(replace(wanted, amount_usd="12.51")) != hashed(wanted)


def test_a_moment_beyond_the_calendar_of_utc_can_be_hashed() -> None:
    """The decision refuses it, in its own words."""
    last = datetime.max.replace(tzinfo=timezone(-timedelta(hours=23)))
    assert hashed(GrantCredit(amount_usd="1", kind="promo", reason=Sealed(REASON), expires_at=last))


def test_a_hash_names_its_rule_and_cannot_be_one_of_the_rule_before() -> None:
    for wanted in (Wish(size=1), RotateKey()):
        assert hashed(wanted)[:1] == HASH_VERSION
        assert len(hashed(wanted)) != len(named_id("a").bytes)


class OtherKey(MemoryPersonalData):
    async def fingerprint(self, account_id: str, data: bytes) -> bytes:
        return (await super().fingerprint(account_id, b"another data key" + data))[:32]


def test_the_hash_of_a_personal_input_cannot_be_made_without_the_accounts_data_key() -> None:
    wish = Wish(size=1, reason=Sealed(REASON))
    assert hashed(wish, kind=OtherKey) != hashed(wish)
    assert hashed(RotateKey(), kind=OtherKey) == hashed(RotateKey())


# ---- the template


WANTED = GrantCredit(amount_usd="1", kind="promo", reason=Sealed(REASON))


async def test_P5_the_same_input_under_a_name_is_written_once_another_is_refused() -> None:
    seam = Seam()
    await seam.open()
    first = await seam.use_cases.grant_credit("a", WANTED, ADMIN)
    assert await seam.use_cases.grant_credit("a", WANTED, ADMIN) == first
    for unlike in (replace(WANTED, amount_usd="2"), replace(WANTED, reason=Sealed("something else entirely"))):
        with pytest.raises(DomainError, match="command_id_reused"):
            await seam.use_cases.grant_credit("a", unlike, ADMIN)


async def test_P5_what_an_earlier_version_recorded_is_compared_by_its_rule() -> None:
    seam = Seam()
    await seam.open()
    former = named_id("promo", "1000000000", "None", "None", "admin", REASON).bytes
    command = Grant(at=seam.ports.clock.now(), lot_id=str(NAME), kind="promo", amount_nusd=10**9, source="admin")
    recorded = await seam.ledger.transact(CREDIT, "a", command, command_id=step_id(NAME, "grant"), input_hash=former)
    assert (await seam.use_cases.grant_credit("a", WANTED, ADMIN)).position == recorded.position
    with pytest.raises(DomainError, match="command_id_reused"):
        await seam.use_cases.grant_credit("a", replace(WANTED, amount_usd="2"), ADMIN)


async def test_nothing_is_sealed_for_an_account_that_is_not_there() -> None:
    seam = Seam()
    with pytest.raises(DomainError, match="account_not_found"):
        await seam.use_cases.grant_credit("a", WANTED, ADMIN)
    assert seam.ledger.log == []


class Opaque(MemoryPersonalData):
    async def seal(self, account_id: str, data: bytes) -> bytes:
        return (await super().seal(account_id, data)).hex().encode()


async def test_the_ledger_gets_ciphertext_only() -> None:
    seam = Seam(Opaque())
    await seam.open()
    await seam.use_cases.grant_credit("a", WANTED, ADMIN)
    assert REASON.encode().hex() in repr(seam.ledger.log[-1].event)
    assert REASON not in repr(seam.ledger.log)
