"""No folder of the product is too large to take in at a glance, and each says what it is
(docs/explanation/architecture.md#the-house)."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PRODUCT = ("domain", "application", "projections", "adapters", "migrations")
MAX_MODULES = 14
"""`__init__` not counted."""

FOLDERS = sorted({file.parent for top in PRODUCT for file in (ROOT / top).rglob("*.py")})


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(ROOT)))
def test_a_folder_is_a_room(folder: Path) -> None:
    modules = sorted(file.stem for file in folder.glob("*.py") if file.stem != "__init__")
    assert len(modules) <= MAX_MODULES, modules
    said = ast.get_docstring(ast.parse((folder / "__init__.py").read_text()))
    assert said, f"{folder / '__init__.py'} says in a sentence what this room is for"


TESTS = sorted({file.parent for file in (ROOT / "tests").rglob("*.py")})
MAX_TEST_MODULES = 20


@pytest.mark.parametrize("folder", TESTS, ids=lambda folder: str(folder.relative_to(ROOT)))
def test_a_folder_of_tests_is_a_room(folder: Path) -> None:
    modules = sorted(file.stem for file in folder.glob("*.py") if file.stem != "__init__")
    assert len(modules) <= MAX_TEST_MODULES, modules


def test_what_tests_stand_on_lies_in_rigs() -> None:
    """tests/rigs/README.md is its map."""
    assert [file.name for file in (ROOT / "tests").glob("*.py")] == ["__init__.py", "conftest.py"]
    rigs = sorted(file.stem for file in (ROOT / "tests/rigs").rglob("*.py") if not file.stem.startswith("__"))
    said = (ROOT / "tests/rigs/README.md").read_text()
    assert [rig for rig in rigs if f"`{rig}`" not in said] == []
