"""Events are stored by tag: what was encoded decodes to the same; what is unknown is refused."""

import re
from datetime import UTC, datetime
from typing import ClassVar

import msgspec
import pytest

from domain.aggregates import AGGREGATES, CODEC, aggregate_of, owner_of
from domain.credit.decider import CREDIT
from domain.event import Event, EventCodec, UnknownTag
from tests.domain.credit_words import DAY, NOW, expire, grant, hold
from tests.domain.given import given


class Painted(Event, frozen=True, kw_only=True):
    """A made-up event in its second version."""

    tag: ClassVar[str] = "wall.painted.v2"
    colours: tuple[str, ...]


class PaintedV1(Event, frozen=True, kw_only=True):
    tag: ClassVar[str] = "wall.painted.v1"
    colour: str

    def upcast(self) -> Painted:
        return Painted(at=self.at, colours=(self.colour,))


def test_a_retired_version_decodes_to_the_current_one() -> None:
    codec = EventCodec((Painted, PaintedV1))
    old = codec.encode(PaintedV1(at=NOW, colour="red"))
    assert codec.decode("wall.painted.v1", old) == Painted(at=NOW, colours=("red",))


def test_an_unknown_tag_is_refused() -> None:
    with pytest.raises(UnknownTag):
        CODEC.decode("credit.invented.v1", b"{}")


def test_what_has_not_the_shape_of_its_tag_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        CODEC.decode("credit.lot_expired.v1", b'{"at":"2026-11-25T12:00:00Z","lot_id":7}')


def test_every_tag_names_its_aggregate_its_fact_and_its_version() -> None:
    for kind in (kind for decider in AGGREGATES.values() for kind in decider.events):
        noun, fact, version = kind.tag.split(".")
        assert noun == kind.__module__.split(".")[1], "the folder of its aggregate"
        assert fact.isidentifier()
        assert re.fullmatch(r"v[1-9]\d*", version)


def test_no_two_events_share_a_tag() -> None:
    kinds = [kind for decider in AGGREGATES.values() for kind in decider.events]
    assert len({kind.tag for kind in kinds}) == len(kinds) == len(CODEC.tags)


def test_a_stream_names_its_decider_and_its_owner() -> None:
    stream = CREDIT.stream("0193-abc")
    assert (aggregate_of(stream), owner_of(stream)) == (CREDIT, "0193-abc")


def test_the_rule_by_which_a_reservation_expired_is_stored() -> None:
    story = given(CREDIT, grant("a", 9), hold("r", 1)).when(expire("r", at=NOW + DAY))
    assert b'"rule":"expire-release-v1"' in CODEC.encode(story.events[0])


def test_times_are_stored_in_utc() -> None:
    story = given(CREDIT).when(grant("a", 9, at=datetime(2026, 11, 25, 12, tzinfo=UTC)))
    assert b'"at":"2026-11-25T12:00:00Z"' in CODEC.encode(story.events[0])
