"""docs/reliability.md's table of every row: complete, and what it names exists."""

import re
from pathlib import Path

import pytest

from tests.sabotage.patches import PATCHES

ROOT = Path(__file__).parents[2]
KINDS = {"report": range(2, 93, 2), "attack": range(1, 41), "F": range(1, 20)}
NONE = "–"

PAGE = (ROOT / "docs/reliability.md").read_text()
SECTION = PAGE.partition("## Row by row")[2].partition("\n## ")[0]
ROWS = [line.strip("| ").split(" | ") for line in SECTION.splitlines() if line.startswith("| ")][1:]


@pytest.mark.parametrize("kind", KINDS)
def test_each_number_has_one_row(kind: str) -> None:
    told = [int(number) for row in ROWS if row[0].startswith(kind) for number in re.findall(r"\d+", row[0])]
    assert sorted(told) == list(KINDS[kind])


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row[0]))
def test_its_tests_and_sabotages_exist(row: list[str]) -> None:
    _, what, tests, sabotages = row
    assert tests != NONE or "not yet" in what
    files = {path.name for path in (ROOT / "tests").rglob("test_*.py")}
    assert [name for name in tests.split(", ") if name != NONE and name not in files] == []
    titles = {patch.what for patch in PATCHES}
    assert [words for words in sabotages.split("; ") if words != NONE and words not in titles] == []


def test_every_file_of_tests_that_the_page_names_exists() -> None:
    named = set(re.findall(r"tests/[a-z_0-9/]+\.py", PAGE))
    assert [name for name in sorted(named) if not (ROOT / name).is_file()] == []
