"""P4: no event holds a number or time that some reader of the log could not; what old logs hold is moved into range."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain import times
from domain.aggregates import CODEC
from domain.api_key import retired
from domain.api_key.api_key import API_KEY, Change, Issue, Rotate
from domain.api_key.events import Issued, KeySettings, Secret
from domain.api_key.ranges import MAX_GRACE_S
from domain.credit.commands import Grant
from domain.credit.decider import CREDIT
from domain.credit.events import Granted
from domain.credit.lot import MAX_PRIORITY
from domain.credit.retired import GrantedV1
from domain.decider import Decider
from domain.errors import DomainError
from domain.event import Command, Event
from domain.money import MAX_NUSD
from domain.window import KeyLimit

NOW = datetime(2026, 11, 27, tzinfo=UTC)
OFFSETS = st.integers(-1_439, 1_439).map(lambda minutes: timezone(timedelta(minutes=minutes)))

YEAR_10000 = datetime(9999, 12, 31, 23, 59, 59, tzinfo=timezone(-timedelta(hours=23, minutes=59)))
YEAR_0 = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=23, minutes=59)))
MOMENTS = st.one_of(
    st.datetimes(timezones=OFFSETS),
    st.builds(lambda day, zone: datetime.combine(day, time(), zone), st.sampled_from([date.min, date.max]), OFFSETS),
    st.sampled_from([YEAR_0, YEAR_10000, times.EARLIEST, times.LATEST, times.END, NOW + timedelta(days=30)]),
    st.datetimes(),  # without a zone
)
TOO_LONG_S = [MAX_GRACE_S + 1, 10**12]
EDGES = [0, 1, -1, MAX_GRACE_S, *TOO_LONG_S, MAX_PRIORITY + 1, MAX_NUSD, MAX_NUSD + 1, 2**63 - 1, 2**63, -(2**63)]
NUMBERS = st.one_of(st.integers(), st.sampled_from(EDGES))

SECRET = Secret(b"hash", "last")
FIRST = KeySettings(label=b"first")


def issue(settings: KeySettings) -> Issue:
    return Issue(
        at=NOW, key_id="k", account_id="a", kind="inference", environment="live", secret=SECRET, settings=settings
    )


def settings_of(limit: int | None, expires_at: datetime | None) -> KeySettings:
    return KeySettings(label=b"x", limit=None if limit is None else KeyLimit(limit), expires_at=expires_at)


SETTINGS = st.builds(settings_of, st.none() | NUMBERS, st.none() | MOMENTS)
COMMANDS: st.SearchStrategy[tuple[Decider, Command]] = st.one_of(
    st.tuples(st.just(API_KEY), SETTINGS.map(issue)),
    st.tuples(st.just(API_KEY), st.builds(Change, at=st.just(NOW), settings=SETTINGS)),
    st.tuples(st.just(API_KEY), st.builds(Rotate, at=st.just(NOW), secret=st.just(SECRET), grace_s=NUMBERS)),
    st.tuples(
        st.just(CREDIT),
        st.builds(
            Grant,
            at=st.just(NOW),
            lot_id=st.just("lot"),
            kind=st.just("promo"),
            amount_nusd=NUMBERS,
            priority=st.none() | NUMBERS,
            expires_at=st.none() | MOMENTS,
        ),
    ),
)


@given(COMMANDS)
@example((API_KEY, issue(settings_of(MAX_NUSD + 1, None))))
@example((API_KEY, Change(at=NOW, settings=settings_of(MAX_NUSD + 1, None))))
@example((CREDIT, Grant(at=NOW, lot_id="lot", kind="promo", amount_nusd=MAX_NUSD + 1)))
@example((CREDIT, Grant(at=NOW, lot_id="lot", kind="promo", amount_nusd=1, priority=MAX_PRIORITY + 1)))
@example((CREDIT, Grant(at=NOW, lot_id="lot", kind="promo", amount_nusd=1, expires_at=YEAR_10000)))
def test_whatever_is_asked_for_an_event_is_within_its_ranges(asked: tuple[Decider, Command]) -> None:
    decider, command = asked
    state = decider.initial if isinstance(command, Issue | Grant) else decider.run(issue(FIRST), decider.initial)[1]
    events: Sequence[Event] = ()
    with suppress(DomainError):
        events = decider.decide(command, state)
    for event in events:
        assert CODEC.decode(event.tag, CODEC.encode(event)) == event
        for value in values_in(event):
            if isinstance(value, datetime):
                assert value.tzinfo is UTC and times.EARLIEST <= value < times.END
            elif isinstance(value, int):
                assert 0 <= value <= MAX_NUSD


def values_in(value: Any) -> list[Any]:
    if hasattr(value, "__struct_fields__"):
        return [inner for name in value.__struct_fields__ for inner in values_in(getattr(value, name))]
    return [value]


@pytest.mark.parametrize("moment", [YEAR_0, YEAR_10000, times.END, times.EARLIEST - timedelta(microseconds=1)])
def test_an_expiry_outside_the_range_is_refused(moment: datetime) -> None:
    with pytest.raises(DomainError, match="invalid_expiry"):
        API_KEY.decide(issue(settings_of(None, moment)), API_KEY.initial)
    with pytest.raises(DomainError, match="invalid_expiry"):
        CREDIT.decide(Grant(at=NOW, lot_id="l", kind="promo", amount_nusd=1, expires_at=moment), CREDIT.initial)


@given(MOMENTS.filter(lambda moment: moment.tzinfo is not None))
@example(YEAR_0)
@example(YEAR_10000)
def test_a_time_is_moved_no_further_than_to_the_end_of_the_range(moment: datetime) -> None:
    moved = times.clamped(moment)
    assert times.EARLIEST <= moved <= times.LATEST and moved.tzinfo is UTC
    if times.EARLIEST <= moment < times.END:
        assert moved == moment
    else:
        assert moved == (times.LATEST if moment > times.END - timedelta(microseconds=1) else times.EARLIEST)


KEY: dict[str, Any] = {"at": NOW, "key_id": "k", "account_id": "a"}
ISSUED: dict[str, Any] = {**KEY, "kind": "inference", "environment": "live", "secret": SECRET}
LOT: dict[str, Any] = {"at": NOW, "lot_id": "l", "kind": "promo", "amount_nusd": 1}


@pytest.mark.parametrize(
    ("event", "fields"),
    [
        (retired.IssuedV1(**ISSUED, settings=settings_of(None, YEAR_10000)), ["settings.expires_at"]),
        (retired.IssuedV1(**ISSUED, settings=settings_of(2**63, YEAR_0)), ["settings.limit", "settings.expires_at"]),
        (retired.IssuedV1(**ISSUED, settings=settings_of(5, NOW.astimezone(timezone(timedelta(hours=9))))), []),
        (retired.ChangedV1(**KEY, settings=settings_of(-1, None)), ["settings.limit"]),
        (retired.RotatedV1(**KEY, secret=SECRET, old_until=YEAR_10000), ["old_until"]),
        (retired.RotatedV1(**KEY, secret=SECRET, old_until=NOW), []),
        (GrantedV1(**LOT, priority=30, expires_at=YEAR_10000), ["expires_at"]),
        (GrantedV1(**LOT, priority=-1), ["priority"]),
        (GrantedV1(**LOT, priority=0), []),
    ],
)
def test_what_an_old_log_holds_outside_the_range_is_named_and_moved(event: Event, fields: list[str]) -> None:
    state = CODEC.encode(event)
    assert CODEC.clamped(event.tag, state) == fields
    current = CODEC.decode(event.tag, state)
    assert current.tag == event.tag.removesuffix("1") + "2" and isinstance(current, Event)
    assert all(times.EARLIEST <= value < times.END for value in values_in(current) if isinstance(value, datetime))
    assert all(0 <= value <= MAX_NUSD for value in values_in(current) if isinstance(value, int))


def test_a_current_version_is_never_moved() -> None:
    issued = Issued(**ISSUED, settings=settings_of(None, YEAR_10000))
    assert CODEC.clamped(issued.tag, CODEC.encode(issued)) == ()
    assert CODEC.clamped(Granted.tag, b"not even JSON") == ()


def test_a_time_without_its_zone_cannot_be_read() -> None:
    with pytest.raises(ValueError, match="timezone"):
        CODEC.decode("api_key.revoked.v1", b'{"at":"2026-11-27T00:00:00","key_id":"k","account_id":"a"}')
