"""ApiKey: issued once, changed, rotated with a grace, revoked for ever (docs/reference/rules.md#keys)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.api_key.api_key import API_KEY, Change, Issue, Revoke, Rotate
from domain.api_key.events import Changed, Issued, KeySettings, Revoked, Rotated, Secret
from domain.api_key.ranges import MAX_GRACE_S
from domain.event import Command
from domain.window import KeyLimit
from tests.domain.given import given

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
LABEL = b"sealed label"


def issue(**settings: Any) -> Issue:
    return Issue(
        at=NOW,
        key_id="key",
        account_id="acc",
        kind="inference",
        environment="live",
        secret=Secret(b"first", "1111"),
        settings=KeySettings(label=LABEL, **settings),
    )


def change(**settings: Any) -> Change:
    return Change(at=NOW, settings=KeySettings(label=LABEL, **settings))


def rotate(grace_s: int, *, secret: bytes = b"second", at: datetime = NOW) -> Rotate:
    return Rotate(at=at, secret=Secret(secret, "2222"), grace_s=grace_s)


def test_an_issued_key_opens_with_its_secret_only() -> None:
    story = given(API_KEY).when(issue())
    issued = story.then(Issued)
    assert (issued.key_id, issued.account_id, issued.kind, issued.environment) == ("key", "acc", "inference", "live")
    assert story.state.refusal(b"first", NOW) is None
    assert story.state.refusal(b"other", NOW) == "invalid_api_key"


def test_a_key_is_issued_once() -> None:
    given(API_KEY, issue()).when(issue()).then_refused("key_exists", key_id="key")


def test_a_key_that_was_never_issued_opens_with_nothing() -> None:
    assert API_KEY.initial.refusal(b"", NOW) == "invalid_api_key"


@pytest.mark.parametrize("command", [change(disabled=True), rotate(3_600), Revoke(at=NOW)])
def test_a_key_that_was_never_issued_cannot_change(command: Command) -> None:
    given(API_KEY).when(command).then_refused("key_not_found")


def test_settings_change_as_a_whole() -> None:
    limit = KeyLimit(5, "daily")
    story = given(API_KEY, issue(expires_at=NOW + HOUR)).when(change(limit=limit))
    assert story.then(Changed).settings == story.state.settings == KeySettings(label=LABEL, limit=limit)


def test_the_same_settings_change_nothing() -> None:
    given(API_KEY, issue(disabled=True)).when(change(disabled=True)).then_nothing()


def test_a_disabled_key_is_refused_until_it_is_enabled() -> None:
    story = given(API_KEY, issue(), change(disabled=True))
    assert story.state.refusal(b"first", NOW) == "api_key_disabled"
    assert story.and_then(change()).state.refusal(b"first", NOW) is None


def test_a_key_works_until_its_expiry() -> None:
    key = given(API_KEY, issue(expires_at=NOW + HOUR)).state
    assert key.refusal(b"first", NOW + HOUR - SECOND) is None
    assert key.refusal(b"first", NOW + HOUR) == "api_key_expired"


@pytest.mark.parametrize("late_by", [timedelta(0), SECOND, HOUR * 24 * 365])
def test_no_key_is_born_dead(late_by: timedelta) -> None:
    given(API_KEY).when(issue(expires_at=NOW - late_by)).then_refused("invalid_expiry", param="expires_at")
    given(API_KEY).when(issue()).when(change(expires_at=NOW - late_by)).then_refused("invalid_expiry")


def test_an_expiry_that_is_past_may_stay_while_another_setting_changes() -> None:
    later = Change(at=NOW + HOUR, settings=KeySettings(label=b"another", expires_at=NOW + SECOND))
    given(API_KEY).when(issue(expires_at=NOW + SECOND)).when(later).then(Changed)


def test_a_wrong_secret_learns_nothing_about_the_key() -> None:
    key = given(API_KEY, issue(disabled=True, expires_at=NOW + SECOND)).state
    assert key.refusal(b"other", NOW + HOUR) == "invalid_api_key"


def test_a_rotated_key_opens_with_both_secrets_during_the_grace() -> None:
    story = given(API_KEY, issue()).when(rotate(3_600))
    assert story.then(Rotated).old_until == NOW + HOUR
    assert story.state.refusal(b"second", NOW) is None
    assert story.state.refusal(b"first", NOW + HOUR - SECOND) is None
    assert story.state.refusal(b"first", NOW + HOUR) == "invalid_api_key"


def test_a_grace_of_zero_ends_the_old_secret_at_once() -> None:
    key = given(API_KEY, issue(), rotate(0)).state
    assert (key.refusal(b"first", NOW), key.refusal(b"second", NOW)) == ("invalid_api_key", None)


def test_only_the_latest_former_secret_has_a_grace() -> None:
    key = given(API_KEY, issue(), rotate(3_600), rotate(3_600, secret=b"third")).state
    assert key.refusal(b"first", NOW) == "invalid_api_key"
    assert key.refusal(b"second", NOW) is key.refusal(b"third", NOW) is None


@pytest.mark.parametrize("grace_s", [-1, MAX_GRACE_S + 1, 10**12, -(10**30)])
def test_a_grace_is_neither_negative_nor_longer_than_a_week(grace_s: int) -> None:
    given(API_KEY, issue()).when(rotate(grace_s)).then_refused("invalid_grace", param="grace_s", limit=MAX_GRACE_S)


def test_a_rotation_keeps_id_settings_and_account() -> None:
    before = given(API_KEY, issue(limit=KeyLimit(5)))
    after = before.and_then(rotate(3_600)).state
    assert (after.key_id, after.account_id, after.settings) == ("key", "acc", before.state.settings)


def test_a_revoked_key_is_dead_with_all_its_secrets() -> None:
    story = given(API_KEY, issue(), rotate(3_600)).when(Revoke(at=NOW))
    story.then(Revoked)
    assert story.state.refusal(b"first", NOW) == story.state.refusal(b"second", NOW) == "invalid_api_key"


@pytest.mark.parametrize("command", [change(disabled=True), rotate(3_600), Revoke(at=NOW)])
def test_a_revoked_key_stays_revoked(command: Command) -> None:
    given(API_KEY, issue(), Revoke(at=NOW)).when(command).then_refused("key_not_found")


def test_a_revoked_key_is_not_issued_again() -> None:
    given(API_KEY, issue(), Revoke(at=NOW)).when(issue()).then_refused("key_exists")


def test_time_never_runs_backwards_in_a_stream() -> None:
    story = given(API_KEY, issue()).when(Revoke(at=NOW - HOUR))
    assert story.then(Revoked).at == story.state.changed_at == NOW
