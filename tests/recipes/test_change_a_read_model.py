"""docs/how-to/change-a-read-model.md on a copy: followed whole, the registry's tests pass; without a step one fails."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from projections.engine.registry import PROJECTIONS
from tests.rigs.next_release import edit, next_release
from tests.rigs.running import ROOT

NAME = "available_credit"
BEFORE = next(build.version for build in PROJECTIONS if build.name == NAME)
GOLDEN = "tests/golden/read_models.json"
CURRENT, EARLIER = f"projections/{NAME}", f"projections/{NAME}/v{BEFORE}"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A next release with its tests of the registry."""
    tree = next_release(tmp_path_factory.mktemp("recipe"), [NAME])
    for file in (GOLDEN, "tests/__init__.py", "tests/projections/digests.py", "tests/projections/test_registry.py"):
        (tree / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / file, tree / file)
    run(tree, "-m", "tests.projections.digests")
    return tree


@pytest.fixture
def tree(whole: Path, tmp_path: Path) -> Path:
    """A copy of it to make a mistake in."""
    return shutil.copytree(whole, tmp_path / "tree", ignore=shutil.ignore_patterns("__pycache__"))


def run(tree: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONSAFEPATH": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, timeout=120, check=False)


def failures(tree: Path) -> str:
    """What the registry's tests say; empty if all pass."""
    done = run(
        tree, "-m", "pytest", "-q", "--noconftest", "-p", "no:cacheprovider", "tests/projections/test_registry.py"
    )
    return done.stdout if done.returncode else ""


def test_whoever_follows_it_has_two_builds(tree: Path) -> None:
    assert failures(tree) == ""
    digests = json.loads((tree / GOLDEN).read_text())
    assert {f"{NAME} v{BEFORE}", f"{NAME} v{BEFORE + 1}"} <= digests.keys()


def without_the_copy(tree: Path) -> None:
    shutil.rmtree(tree / EARLIER)


def without_its_row(tree: Path) -> None:
    shutil.copy2(ROOT / "projections/engine/registry.py", tree / "projections/engine/registry.py")


def without_copy_and_row(tree: Path) -> None:
    without_the_copy(tree)
    without_its_row(tree)


def without_another_number(tree: Path) -> None:
    edit(tree / CURRENT / "project.py", rf"\bversion={BEFORE + 1},", f"version={BEFORE},")


def without_its_digest(tree: Path) -> None:
    shutil.copy2(ROOT / GOLDEN, tree / GOLDEN)


def with_a_change_under_the_old_number(tree: Path) -> None:
    edit(tree / EARLIER / "project.py", r'"granted_nusd": COUNT', '"granted_nusd": FLAG')


def with_a_copy_that_leans_on_the_current_one(tree: Path) -> None:
    edit(tree / EARLIER / "queries.py", r"\A", f"from projections.{NAME}.project import CREDIT_LOT\n")


def with_a_question_that_the_copy_cannot_answer(tree: Path) -> None:
    edit(tree / EARLIER / "queries.py", r"async def lots_of", "async def lots_before")


MISTAKES = (
    without_the_copy,
    without_its_row,
    without_copy_and_row,
    without_another_number,
    without_its_digest,
    with_a_change_under_the_old_number,
    with_a_copy_that_leans_on_the_current_one,
    with_a_question_that_the_copy_cannot_answer,
)


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.__name__)
def test_a_mistake_is_seen(tree: Path, mistake: Callable[[Path], None]) -> None:
    mistake(tree)
    told = failures(tree)
    assert re.search(r"\d+ (failed|error)", told), told
