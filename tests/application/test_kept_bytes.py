"""The store of answers is shared: none of its accounts fills it."""

from datetime import UTC, datetime, timedelta

import pytest

from application.generate import kept_bytes
from application.generate.kept_bytes import KeptBytes

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def test_an_account_keeps_what_its_share_holds_until_the_time_of_some_is_over() -> None:
    kept = KeptBytes(100)
    assert kept.takes("a", 60, NOW, NOW + DAY)
    assert not kept.takes("a", 60, NOW, NOW + DAY)
    assert kept.takes("a", 40, NOW, NOW + DAY), "a smaller one still fits"
    assert kept.takes("b", 100, NOW, NOW + DAY), "another account has its own"
    assert not kept.takes("a", 1, NOW + DAY, NOW + 2 * DAY)
    later = NOW + DAY + timedelta(hours=1)
    assert kept.takes("a", 100, later, later + DAY)


def test_0_is_no_limit() -> None:
    assert KeptBytes().takes("a", 10**12, NOW, NOW + DAY)


def test_no_more_accounts_are_counted_than_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_bytes, "MAX_ACCOUNTS", 2)
    kept = KeptBytes(10)
    assert all(kept.takes(account_id, 10, NOW, NOW + DAY) for account_id in ("a", "b", "c"))
    assert not kept.takes("c", 1, NOW, NOW + DAY)
    assert kept.takes("a", 1, NOW, NOW + DAY), "forgotten"
