"""What retired event versions mean: `python -m tests.golden.events.meanings` writes the files that do not exist yet.

One file for each retired version, `meaning/<tag>.json`: some stored events, what each is as the current version, and
the state of its stream after it. A file that exists is only ever added to (a field that is new in the current version
or in the state); where a value is no longer what it was, history would change, and nothing is written.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from domain.aggregates import AGGREGATES, CODEC
from domain.decider import Decider
from domain.event import Event
from tests.golden.events import samples

FOLDER = samples.FOLDER / "meaning"

BEYOND_TIME = "9999-12-31T23:59:59-23:59"
"""A time that was stored before times had a range; it lies outside the calendar of UTC."""

GIVEN: Mapping[str, Sequence[tuple[str, Mapping[str, Any]]]] = {
    "credit.reserved": [
        ("credit.granted.v1", {"lot_id": "lot-1", "amount_nusd": 1_000}),
        ("credit.granted.v1", {"lot_id": "lot-2", "amount_nusd": 1_000}),
    ],
    "credit.shortfall_recorded": [("credit.shortfall_recorded.v2", {})],
    "api_key.changed": [("api_key.issued.v1", {})],
    "api_key.rotated": [("api_key.issued.v1", {})],
}
"""What stands in the stream before an event of this name, as changes to the full samples of these tags."""

BEYOND: Mapping[str, Mapping[str, Any]] = {
    "credit.granted.v1": {"priority": 5_000, "expires_at": BEYOND_TIME},
    "api_key.issued.v1": {"settings": {"label": "c2VhbGVk", "expires_at": BEYOND_TIME}},
    "api_key.changed.v1": {"settings": {"label": "c2VhbGVk", "expires_at": BEYOND_TIME}},
    "api_key.rotated.v1": {"old_until": BEYOND_TIME},
}
"""Values that a version allowed and the current one does not, as changes to its full sample."""


class Given(msgspec.Struct, frozen=True):
    tag: str
    stored: msgspec.Raw


class Case(msgspec.Struct, frozen=True):
    """`upcast` is the event as the current version, `state` its stream's after it: every field is spelled out."""

    stored: msgspec.Raw
    upcast: Any
    state: Any


class Meaning(msgspec.Struct, frozen=True):
    given: list[Given]
    cases: dict[str, Case]


def retired_kinds() -> dict[str, tuple[Decider, type[Event]]]:
    """By tag, each version that is no longer written, and its aggregate."""
    return {
        kind.tag: (decider, kind)
        for decider in AGGREGATES.values()
        for kind in decider.events
        if kind.upcast is not Event.upcast
    }


def file_of(tag: str) -> Path:
    return FOLDER / f"{tag}.json"


def read(tag: str) -> Meaning:
    return msgspec.json.decode(file_of(tag).read_bytes(), type=Meaning)


def first_meaning(tag: str) -> Meaning:
    """Of a version that has just been retired: its golden samples, behind what must stand before them."""
    golden = msgspec.json.decode(samples.file_of(tag).read_bytes(), type=samples.GoldenFile)
    stored = {"full": golden.full.stored, "sparse": golden.sparse.stored}
    if tag in BEYOND:
        stored["beyond_its_range"] = changed(tag, BEYOND[tag])
    given = [Given(before, changed(before, changes)) for before, changes in GIVEN.get(tag.rpartition(".")[0], ())]
    return again(tag, Meaning(given, {name: Case(raw, None, None) for name, raw in stored.items()}))


def changed(tag: str, changes: Mapping[str, Any]) -> msgspec.Raw:
    golden = msgspec.json.decode(samples.file_of(tag).read_bytes(), type=samples.GoldenFile)
    return msgspec.Raw(msgspec.json.encode(msgspec.json.decode(golden.full.stored) | changes))


def again(tag: str, meaning: Meaning) -> Meaning:
    """The same stored events, as this code reads and folds them."""
    decider, _ = retired_kinds()[tag]
    before = decider.fold(decider.initial, [decoded(given.tag, given.stored) for given in meaning.given])
    cases = {}
    for name, case in meaning.cases.items():
        event = decoded(tag, case.stored)
        cases[name] = Case(case.stored, spelled_out(event), spelled_out(decider.evolve(before, event)))
    return Meaning(meaning.given, cases)


def decoded(tag: str, stored: msgspec.Raw) -> Event:
    return CODEC.decode(tag, bytes(stored))


def spelled_out(value: Any) -> Any:
    """As JSON-ready builtins in which no field is left out; dicts keep their order, which is the order of burning."""
    if isinstance(value, dict):
        return {key: spelled_out(item) for key, item in value.items()}
    if isinstance(value, msgspec.Struct):
        return {name: spelled_out(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, tuple):
        return [spelled_out(item) for item in value]
    return msgspec.to_builtins(value)


def shown(meaning: Meaning) -> bytes:
    return msgspec.json.format(msgspec.json.encode(meaning), indent=2) + b"\n"


def is_kept(pinned: Any, now: Any) -> bool:
    """Whether all that was pinned still holds: `now` may have more fields, and nothing else."""
    if isinstance(pinned, dict) and isinstance(now, dict):
        return all(key in now and is_kept(value, now[key]) for key, value in pinned.items())
    if isinstance(pinned, list) and isinstance(now, list):
        return len(pinned) == len(now) and all(map(is_kept, pinned, now))
    return bool(pinned == now)


def written_anew(tag: str) -> bytes:
    """Raises: ValueError if a value that is pinned would change."""
    if not file_of(tag).exists():
        return shown(first_meaning(tag))
    text = shown(again(tag, read(tag)))
    if not is_kept(msgspec.json.decode(file_of(tag).read_bytes()), msgspec.json.decode(text)):
        raise ValueError(f"{tag} no longer means what it meant")
    return text


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for retired in sys.argv[1:] or retired_kinds():
        file_of(retired).write_bytes(written_anew(retired))
