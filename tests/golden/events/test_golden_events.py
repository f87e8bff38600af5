"""P4: every event version ever shipped still decodes to what it meant. A red test here means that history changes."""

from pathlib import Path

import msgspec
import pytest

from domain.aggregates import CODEC
from domain.event import Event
from tests.golden.events.samples import FOLDER, FULL, SPARSE, GoldenFile, Sample, file_of, meaning, sample, shown

FILES = sorted(FOLDER.glob("*.json"))


def samples_in(path: Path) -> tuple[Sample, Sample]:
    golden = msgspec.json.decode(path.read_bytes(), type=GoldenFile)
    return golden.full, golden.sparse


def test_every_tag_has_its_file_and_every_file_its_tag() -> None:
    assert {path.name for path in FILES} == {file_of(tag).name for tag in CODEC.tags}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_was_shipped_still_means_the_same(path: Path) -> None:
    for golden in samples_in(path):
        stored = msgspec.json.format(bytes(golden.stored), indent=-1)
        event = CODEC.decode(path.stem, stored)
        if event.tag == path.stem:  # a retired version comes back as the current one: decoding is all it must do
            assert meaning(event) == golden.means
            assert CODEC.encode(event) == stored


@pytest.mark.parametrize(("full", "sparse"), list(zip(FULL, SPARSE, strict=True)), ids=lambda event: event.tag)
def test_the_files_are_written_the_same_again(full: Event, sparse: Event) -> None:
    assert file_of(full.tag).read_bytes() == shown(GoldenFile(sample(full), sample(sparse)))


@pytest.mark.parametrize("event", FULL, ids=lambda event: event.tag)
def test_a_full_sample_leaves_no_field_at_its_default(event: Event) -> None:
    at_default = {
        field.name
        for field in msgspec.structs.fields(event)
        if field.default is not msgspec.NODEFAULT and getattr(event, field.name) == field.default
    }
    assert at_default <= {"rule"}  # has but one value
