"""The examples of a document: its fenced blocks, and what a marker before each says is to be done with it.

    <!-- serves -->          keeps running behind the blocks that follow: `make run`, perhaps with settings before it
    <!-- stops -->           ends what was served, in order, as Ctrl-C in its terminal does
    <!-- prints -->          what the block before printed; `…` is what differs each time, alone on a line any lines
    <!-- file: NAME -->      the contents of a file
    <!-- not run: REASON --> is not executed
    <!-- step: ... -->       a step of a recipe, which tests/rigs/recipes.py follows
    <!-- check -->           what shows that its steps were followed; likewise

A block of sh or python without a marker is executed. There is no other kind: every example is held to what it says.
"""

import re
from pathlib import Path
from typing import Literal, NamedTuple

Deed = Literal["run", "serves", "stops", "prints", "file", "not run", "step", "check"]
RECIPE: frozenset[Deed] = frozenset({"step", "check"})

ANYTHING = "…"

_BLOCK = re.compile(
    r"(?:<!-- (?P<marker>.+?) -->\n+)?^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
_MARKER = re.compile(r"(serves|stops|prints|file|not run|step|check)(?:: (.+))?")
_WITH_WORDS = ("file", "not run", "step")


class Block(NamedTuple):
    """`place`: where it is, for messages. `about`: what follows the marker's colon."""

    place: str
    deed: Deed
    about: str
    language: str
    text: str


def blocks_of(document: Path) -> list[Block]:
    """In their order. Raises: ValueError for a block that nothing says what to do with."""
    text = document.read_text()
    return [
        _block(found, f"{document.name}:{text[: found.start()].count(chr(10)) + 1}") for found in _BLOCK.finditer(text)
    ]


def _block(found: "re.Match[str]", place: str) -> Block:
    deed, about = _told(found["marker"] or "", found["language"], place)
    return Block(place, deed, about, found["language"], found["text"])


def _told(marker: str, language: str, place: str) -> tuple[Deed, str]:
    if not marker and language in ("sh", "python"):
        return "run", ""
    said = _MARKER.fullmatch(marker)
    if said is None or (said[1] in _WITH_WORDS) != bool(said[2]):
        raise ValueError(f"{place}: a block of {language or 'no language'} with the marker {marker!r}")
    return said[1], said[2] or ""  # type: ignore[return-value]


def is_what_was_printed(expected: str, printed: str) -> bool:
    """Runs of blanks count as one: a table is as wide as what is in it."""
    lines = [_pattern_of(" ".join(line.split())) for line in expected.strip().splitlines()]
    said = "".join(" ".join(line.split()) + "\n" for line in printed.strip().splitlines())
    return re.fullmatch("".join(lines), said) is not None


def _pattern_of(line: str) -> str:
    if line == ANYTHING:
        return r"(?:.*\n)*?"
    return ".*".join(re.escape(part) for part in line.split(ANYTHING)) + r"\n"
