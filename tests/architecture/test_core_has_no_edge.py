"""Wire formats and clocks stay at the edge: application writes no JSON and asks no clock but the port."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "application").rglob("*.py"))

ENCODERS = {"json.encode", "json.Encoder", "json.dumps", "json.dump", "json.JSONEncoder", "json.encode_into"}
DECODERS = {"json.decode", "json.Decoder", "json.loads", "json.load"}

MAY_ENCODE = {
    "application/generate/request/members.py": "what a client sent is passed on; until the protocols have a room",
    "application/generate/metering/billed_texts.py": "the text of a tool that is counted for an estimate is JSON",
}
"""Why a module may."""

MAY_DECODE = ("application/generate/request/", "application/generate/metering/billed_texts.py")
"""A client's body, until then too."""

PORT = {"_clock.now", "clock.now", "_clock.elapsed_s", "clock.elapsed_s"}
CLOCKS = ("now", "utcnow", "today", "time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "elapsed_s")
"""Names by which a clock, a loop or a datetime is asked for the time."""


def named(file: Path) -> Iterator[str]:
    """Every dotted name of two words: `json.encode` of `msgspec.json.encode`."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Attribute):
            owner = node.value
            yield f"{owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, 'id', '')}.{node.attr}"


def imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def place(file: Path) -> str:
    return str(file.relative_to(ROOT))


def test_application_writes_no_json() -> None:
    writers = {place(file) for file in FILES if ENCODERS.intersection(named(file))}
    assert writers == set(MAY_ENCODE)


def test_application_reads_json_only_of_a_request() -> None:
    readers = {place(file) for file in FILES if DECODERS.intersection(named(file))}
    assert sorted(one for one in readers if not one.startswith(MAY_DECODE)) == []


def test_no_encoder_is_hidden_behind_an_import() -> None:
    hidden = {name for file in FILES for name in imported(file) if name.split(".")[0] == "json" or ".json" in name}
    assert sorted(hidden) == []


def test_application_asks_no_clock_but_the_port() -> None:
    """A loop may hold timers; the Clock has the time, and how much of it went by. `self._elapsed_s` is its method."""
    asked = {
        f"{place(file)}: {name}"
        for file in FILES
        for name in named(file)
        if name.split(".")[1] in CLOCKS and name not in PORT
    }
    assert sorted(asked) == []
    assert [place(file) for file in FILES for name in imported(file) if name.split(".")[0] == "time"] == []
