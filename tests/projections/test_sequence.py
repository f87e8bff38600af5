"""Whose figures an event changes: what stops when it cannot be projected."""

import pytest

from domain.account.events import StateChanged
from domain.api_key.events import Revoked
from projections.engine.sequence import account_of
from tests.projections.story import START

REVOKED = Revoked(at=START, key_id="k", account_id="acct")


@pytest.mark.parametrize(
    ("stream", "event", "account"),
    [
        ("credit-acct", StateChanged(at=START, account_id="acct", state="active"), "acct"),
        ("account-acct", b"no JSON", "acct"),
        ("key-k", REVOKED, "acct"),
        ("key-k", b'{"account_id":"acct","later":[1]}', "acct"),
        ("key-k", b'{"account_id":7}', "key-k"),
        ("key-k", b"no JSON", "key-k"),
    ],
)
def test_the_account_is_found(stream: str, event: object, account: str) -> None:
    assert account_of(stream, event) == account  # type: ignore[arg-type]
