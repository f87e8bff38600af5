"""P4: what a retired event version means stays: as which event of today it is read, and what folding it does."""

import pytest

from domain.aggregates import AGGREGATES, CODEC
from domain.event import Event
from tests.golden.events.meanings import FOLDER, again, file_of, is_kept, read, retired_kinds, shown

RETIRED = sorted(retired_kinds())


def test_every_retired_version_has_its_file_and_every_file_its_version() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.json")) == RETIRED


@pytest.mark.parametrize("tag", RETIRED)
def test_P4_a_retired_version_still_means_what_it_meant(tag: str) -> None:
    """A new field of the current version, or of the state, is added by `python -m tests.golden.events.meanings`."""
    assert shown(again(tag, read(tag))).decode() == file_of(tag).read_text()


@pytest.mark.parametrize("tag", RETIRED)
def test_it_is_read_as_the_current_version_of_the_same_event(tag: str) -> None:
    for case in read(tag).cases.values():
        event = CODEC.decode(tag, bytes(case.stored))
        assert event.upcast() is event
        assert event.tag.rpartition(".")[0] == tag.rpartition(".")[0]


def test_retired_versions_live_in_retired_and_current_ones_do_not() -> None:
    for decider in AGGREGATES.values():
        for kind in decider.events:
            is_retired = kind.upcast is not Event.upcast
            assert kind.__module__.endswith(".retired") == is_retired, kind


def test_no_tag_is_used_twice() -> None:
    tags = [kind.tag for decider in AGGREGATES.values() for kind in decider.events]
    assert len(tags) == len(set(tags))


def test_of_each_event_one_version_is_current() -> None:
    current = [kind.tag for decider in AGGREGATES.values() for kind in decider.events if kind.upcast is Event.upcast]
    names = [tag.rpartition(".")[0] for tag in current]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("tag", RETIRED)
def test_a_file_has_a_value_beyond_each_range_that_the_version_did_not_have(tag: str) -> None:
    if tag in CODEC.clamping:
        assert any(CODEC.clamped(tag, bytes(case.stored)) for case in read(tag).cases.values())


def test_what_is_pinned_may_gain_fields_and_nothing_else() -> None:
    pinned = {"cases": {"full": {"upcast": {"owed_nusd": 0}, "burnt": [1, 2]}}}
    assert is_kept(pinned, {"cases": {"full": {"upcast": {"owed_nusd": 0, "cause": "x"}, "burnt": [1, 2]}}})
    others: tuple[object, ...] = (
        {"cases": {"full": {"upcast": {"owed_nusd": 1}, "burnt": [1, 2]}}},
        {"cases": {"full": {"upcast": {}, "burnt": [1, 2]}}},
        {"cases": {"full": {"upcast": {"owed_nusd": 0}, "burnt": [1]}}},
        {"cases": {}},
    )
    assert [is_kept(pinned, other) for other in others] == [False] * len(others)
