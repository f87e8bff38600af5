"""`make sabotage` takes long and runs rarely; that its patches still fit, and that none is lost, is seen here."""

import ast
import re
from pathlib import Path

import pytest

from tests.sabotage import known
from tests.sabotage.patch import Patch
from tests.sabotage.patches import PATCHES

ROOT = Path(__file__).parents[2]
SABOTAGE = ROOT / "tests/sabotage"


@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: patch.what)
def test_a_sabotage_finds_what_it_breaks_once_and_its_test_exists(patch: Patch) -> None:
    assert misfits(patch, ROOT) == []


def misfits(patch: Patch, root: Path) -> list[str]:
    """What no longer fits: the file, the text in it, the file of the test, the test."""
    test_file, _, name = patch.test.partition("::")
    broken, test = root / patch.file, root / test_file
    if not broken.is_file() or not test.is_file():
        return [f"{path} is no file" for path in (broken, test) if not path.is_file()]
    found = broken.read_text().count(patch.old)
    said = [] if found == 1 else [f"{patch.file} has its text {found} times"]
    if patch.new == patch.old:
        said.append("it changes nothing")
    wanted = rf"def {re.escape(name)}\(" if name else r"def test_"
    return said if re.search(wanted, test.read_text()) else [*said, f"{test_file} has no test {name}"]


FITS = Patch("P1", "an example", "broken.py", "right", "wrong", "test_it.py::test_it")


@pytest.mark.parametrize(
    "moved",
    [
        FITS._replace(file="elsewhere.py"),
        FITS._replace(old="no longer there"),
        FITS._replace(old="r"),
        FITS._replace(new="right"),
        FITS._replace(test="test_elsewhere.py::test_it"),
        FITS._replace(test="test_it.py::test_of_another_name"),
        FITS._replace(test="test_it.py::test_i"),
    ],
)
def test_one_that_a_move_has_lost_does_not_fit(moved: Patch, tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("all is right here\n")
    (tmp_path / "test_it.py").write_text("def test_it() -> None: ...\n")
    assert misfits(FITS, tmp_path) == []
    assert misfits(moved, tmp_path) != []


def test_none_is_lost_without_a_line_of_known_txt() -> None:
    """After adding, moving or dropping one: `python -m tests.sabotage.known`, and read the diff."""
    kept = known.FILE.read_text().splitlines()
    assert [line for line in kept if line not in known.lines()] == [], "lost; if it must go, so must its line"
    assert [line for line in known.lines() if line not in kept] == [], "new; write known.txt again"


def test_each_has_a_title_of_its_own() -> None:
    titles = [patch.what for patch in PATCHES]
    assert sorted({title for title in titles if titles.count(title) > 1}) == []


def test_every_patch_that_is_written_is_run() -> None:
    """A table of patches that nobody imports any more would be silent."""
    trees = [ast.parse(file.read_text()) for file in SABOTAGE.glob("*.py")]
    calls = [node.func for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    assert len([f for f in calls if isinstance(f, ast.Name) and f.id == "Patch"]) == len(PATCHES)
