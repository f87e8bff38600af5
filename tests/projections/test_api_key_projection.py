"""Given key, account and credit events, these are the rows that a key lookup finds."""

from datetime import UTC, date, datetime, timedelta

from domain.account.account import ACCOUNT, ChangeState
from domain.api_key.api_key import API_KEY, Change, Revoke, Rotate
from domain.api_key.events import KeySettings, Secret
from domain.credit import commands as c
from domain.credit.decider import CREDIT
from domain.window import KeyLimit
from projections.api_key.project import ACCOUNT_STANDING, API_KEY_DAY, API_KEY_SECRET, PROJECTION
from projections.api_key.project import API_KEY as KEYS
from tests.projections.story import START, Log, open_account, reserve, settle
from tests.projections.tables import replayed_rows

KEY = "acct-k0"


def opened() -> Log:
    log = Log()
    open_account(log, "acct")
    return log


def test_an_issued_key_is_found_by_its_secret() -> None:
    log = opened()
    (secret,) = replayed_rows(PROJECTION, API_KEY_SECRET, log.events)
    (key,) = replayed_rows(PROJECTION, KEYS, log.events)
    assert (secret["secret_hash"], secret["key_id"]) == (b"hash of acct-k0", KEY)
    assert (key["account_id"], key["kind"], key["environment"], key["last4"]) == ("acct", "inference", "live", "last")
    assert (key["is_revoked"], key["is_disabled"], key["limit_nusd"], key["position"]) == (False, False, None, 2)


def test_settings_are_replaced_as_a_whole() -> None:
    log = opened()
    limited = KeySettings(
        label=b"new", disabled=True, limit=KeyLimit(5, "weekly"), expires_at=START + timedelta(days=1)
    )
    log.command(API_KEY, KEY, Change(at=START, settings=limited))
    log.command(API_KEY, KEY, Change(at=START, settings=KeySettings(label=b"newer")))
    (key,) = replayed_rows(PROJECTION, KEYS, log.events[:-1])
    assert [key[name] for name in ("label", "is_disabled", "limit_nusd", "limit_window")] == [b"new", True, 5, "weekly"]
    (key,) = replayed_rows(PROJECTION, KEYS, log.events)
    assert [key[name] for name in ("label", "is_disabled", "limit_nusd", "limit_window")] == [
        b"newer",
        False,
        None,
        None,
    ]
    assert key["expires_at"] is None


def test_a_rotated_key_keeps_every_secret_it_had_in_order() -> None:
    log = opened()
    until = START + timedelta(hours=1)
    log.command(API_KEY, KEY, Rotate(at=START, secret=Secret(b"second", "2222"), grace_s=3_600))
    secrets = replayed_rows(PROJECTION, API_KEY_SECRET, log.events)
    assert sorted((row["version"], row["secret_hash"]) for row in secrets) == [(1, b"hash of acct-k0"), (2, b"second")]
    (key,) = replayed_rows(PROJECTION, KEYS, log.events)
    assert (key["secret_hash"], key["secret_version"], key["old_until"]) == (b"second", 2, until)


def test_a_revoked_key_stays_as_a_row() -> None:
    log = opened()
    log.command(API_KEY, KEY, Revoke(at=START))
    (key,) = replayed_rows(PROJECTION, KEYS, log.events)
    assert (key["is_revoked"], key["position"]) == (True, 3)


def test_the_standing_of_an_account_follows_its_events() -> None:
    log = opened()
    log.command(ACCOUNT, "acct", ChangeState(at=START, state="suspended"))
    (standing,) = replayed_rows(PROJECTION, ACCOUNT_STANDING, log.events)
    assert (standing["state"], standing["username"], standing["position"]) == ("suspended", b"sealed", 3)


def test_a_charge_counts_on_the_day_of_its_reserve() -> None:
    log = opened()
    log.command(CREDIT, "acct", c.Grant(at=log.at, lot_id="lot", kind="purchased", amount_nusd=10**9))
    log.at = datetime(2026, 11, 22, 23, 59, tzinfo=UTC)
    log.command(CREDIT, "acct", reserve(log, "acct", KEY, "r1"))
    log.at = datetime(2026, 11, 23, 0, 1, tzinfo=UTC)
    (ended,) = log.command(CREDIT, "acct", settle(log, "r1", 100))
    assert replayed_rows(PROJECTION, API_KEY_DAY, log.events) == [
        {"key_id": KEY, "day": date(2026, 11, 22), "requests": 1, "cost_nusd": ended.event.paid_nusd}  # type: ignore[attr-defined]
    ]
