"""Use cases about keys, on the ports' fakes."""

from copy import copy
from typing import Any

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from application.keys.change_key import ChangeKey
from application.keys.key_limit import changed_limit, limit_of
from application.keys.list_keys import ListKeys
from application.keys.rotate_key import RotateKey
from application.reads.keys import KeySpending
from application.sealed import Sealed
from domain.errors import DomainError
from domain.window import WINDOWS, KeyLimit
from tests.rigs.seam import ADMIN, Seam


class Away(Exception):
    """The read models cannot be asked."""


class ReadsAway:
    """answered: how many questions are answered before none is."""

    def __init__(self, reads: Any, answered: int = 0) -> None:
        self._reads, self._left = reads, answered

    def __getattr__(self, name: str) -> Any:
        if not self._left:
            raise Away
        self._left -= 1
        return getattr(self._reads, name)


async def opened() -> tuple[Seam, str]:
    seam = Seam()
    return seam, await seam.sign_up("ada")


def without_keys(seam: Seam, answered: int = 0) -> Seam:
    """The same ledger, with read models of keys that are away after `answered` questions."""
    away = copy(seam)
    away.ports = seam.ports._replace(reads=replace(seam.reads, keys=ReadsAway(seam.reads.keys, answered)))
    return away


async def test_an_issued_key_is_shown_as_it_was_asked_for() -> None:
    seam, ada = await opened()
    issued = await seam.issue(ada, "first", kind="management", limit=KeyLimit(70, "weekly"))
    key = issued.key
    assert (key.label, key.kind, key.environment, key.account_id) == ("first", "management", "test", ada)
    assert (key.limit_nusd, key.limit_window, key.limit_remaining_nusd, key.spent_nusd) == (70, "weekly", 70, 0)
    assert issued.secret.endswith(key.last4)
    assert issued.secret not in repr(seam.ledger.log)
    assert await seam.use_cases.show_key(ada, issued.key_id) == key


async def test_issuing_asks_no_read_model_of_keys_so_that_no_secret_is_lost() -> None:
    seam, ada = await opened()
    issued = await without_keys(seam).issue(ada, "first")
    assert (await seam.use_cases.show_key(ada, issued.key_id)).label == "first"


async def test_a_rotation_that_could_not_be_shown_replaces_nothing() -> None:
    seam, ada = await opened()
    issued = await seam.issue(ada, "first")
    before = list(seam.ledger.log)
    with pytest.raises(Away):
        await without_keys(seam).use_cases.rotate_key(ada, issued.key_id, RotateKey(), ADMIN)
    assert seam.ledger.log == before


async def test_a_rotation_asks_the_read_model_once_and_before_it_is_written() -> None:
    seam, ada = await opened()
    issued = await seam.issue(ada, "first", limit=KeyLimit(70))
    rotated = await without_keys(seam, answered=1).use_cases.rotate_key(ada, issued.key_id, RotateKey(), ADMIN)
    assert rotated.secret != issued.secret
    assert rotated.key.last4 == rotated.secret[-4:]
    assert await seam.use_cases.show_key(ada, issued.key_id) == rotated.key
    assert replace(rotated.key, last4=issued.key.last4, changed_at=issued.key.changed_at) == issued.key


async def test_a_list_is_a_page_oldest_first_without_revoked_keys_and_if_asked_without_disabled_ones() -> None:
    seam, ada = await opened()
    ids = [(await seam.issue(ada, label)).key_id for label in ("one", "two", "three", "four")]
    await seam.use_cases.revoke_key(ada, ids[1])
    await seam.use_cases.change_key(ada, ids[2], ChangeKey(disabled=True), ADMIN)

    async def labels(**wanted: Any) -> list[str]:
        return [key.label for key in await seam.use_cases.list_keys(ada, ListKeys(**wanted))]

    assert await labels() == ["one", "three", "four"]
    assert await labels(offset=1) == ["three", "four"]
    assert await labels(offset=1, limit=1) == ["three"]
    assert await labels(include_disabled=False) == ["one", "four"]
    assert await labels(offset=1, include_disabled=False) == ["four"], "a page of what is listed"
    assert await labels(offset=9) == []


async def test_a_change_shows_the_key_as_it_is_now_and_its_own_stream_agrees() -> None:
    seam, ada = await opened()
    issued = await seam.issue(ada, "first", limit=KeyLimit(70, "weekly"))
    change = ChangeKey(label=Sealed("second"), disabled=True, limit_nusd=90)
    changed = await seam.use_cases.change_key(ada, issued.key_id, change, ADMIN)
    assert (changed.key.label, changed.key.disabled) == ("second", True)
    assert (changed.key.limit_nusd, changed.key.limit_window) == (90, "weekly")
    assert changed.position == len(seam.ledger.log)
    assert await seam.use_cases.show_key(ada, issued.key_id) == changed.key
    again = await seam.use_cases.change_key(ada, issued.key_id, change, ADMIN)
    assert (again.key, again.position) == (changed.key, 0)
    await seam.issue(ada, "first")  # its old label is free


async def test_another_accounts_key_is_not_found() -> None:
    seam, ada = await opened()
    bob = await seam.sign_up("bob")
    key_id = (await seam.issue(ada, "first")).key_id
    uses, before = seam.use_cases, len(seam.ledger.log)
    for deed in (
        uses.show_key(bob, key_id),
        uses.change_key(bob, key_id, ChangeKey(disabled=True), ADMIN),
        uses.rotate_key(bob, key_id, RotateKey(), ADMIN),
        uses.revoke_key(bob, key_id),
        uses.find_key(bob, "first"),
    ):
        with pytest.raises(DomainError, match="key_not_found"):
            await deed
    assert len(seam.ledger.log) == before


async def test_a_revoked_key_is_found_no_more_and_its_label_is_free() -> None:
    seam, ada = await opened()
    key_id = (await seam.issue(ada, "first")).key_id
    assert await seam.use_cases.find_key(ada, "FIRST") == key_id
    await seam.use_cases.revoke_key(ada, key_id)
    for name in ("first", key_id):
        with pytest.raises(DomainError, match="key_not_found"):
            await seam.use_cases.find_key(ada, name)
    assert (await seam.issue(ada, "first")).key_id != key_id


OLD = KeyLimit(70, "weekly")


@pytest.mark.parametrize(
    ("old", "limit_nusd", "window", "new"),
    [
        (None, UNSET, UNSET, None),
        (None, 5, UNSET, KeyLimit(5, "total")),
        (None, 5, "daily", KeyLimit(5, "daily")),
        (None, UNSET, None, None),
        (OLD, UNSET, UNSET, OLD),
        (OLD, 5, UNSET, KeyLimit(5, "weekly")),
        (OLD, 0, UNSET, KeyLimit(0, "weekly")),
        (OLD, UNSET, "daily", KeyLimit(70, "daily")),
        (OLD, UNSET, None, KeyLimit(70, "total")),
        (OLD, None, UNSET, None),
        (OLD, None, None, None),
        (OLD, 5, None, KeyLimit(5, "total")),
    ],
)
def test_a_change_names_either_half_of_a_limit_both_or_neither(
    old: Any, limit_nusd: Any, window: Any, new: Any
) -> None:
    assert changed_limit(old, limit_nusd, window) == new


@pytest.mark.parametrize(("old", "limit_nusd"), [(None, UNSET), (None, None), (OLD, None)])
def test_a_window_needs_a_limit(old: Any, limit_nusd: Any) -> None:
    with pytest.raises(DomainError, match="invalid_request"):
        changed_limit(old, limit_nusd, "daily")


def test_a_limit_without_a_window_is_for_ever() -> None:
    assert limit_of(5, None) == KeyLimit(5, "total")
    assert limit_of(None, None) is None


def test_spending_is_that_of_the_window() -> None:
    spending = KeySpending(4, 1, 2, 3, requests=9)
    assert [spending.within(window) for window in WINDOWS] == [1, 2, 3, 4]
