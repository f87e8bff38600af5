"""docs/how-to/add-a-projection.md on a copy of the tree: followed whole its checks pass, without a step one fails."""

from pathlib import Path

import pytest

from tests.rigs.recipes import CommandFailed, Recipe, complaints, copy_of_the_tree, followed

RECIPE = Recipe("add-a-projection.md")
MAX_PRODUCT_FILES = 3


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_of_the_tree(tmp_path_factory.mktemp("recipe"))


def test_whoever_follows_it_whole_is_done(tree: Path) -> None:
    with followed(tree, RECIPE.steps):
        assert complaints(tree, RECIPE) == ""


@pytest.mark.parametrize("number", range(len(RECIPE.steps)), ids=lambda number: RECIPE.steps[number].about)
def test_a_step_that_is_left_out_is_seen(tree: Path, number: int) -> None:
    """By a check, or by a later step's command."""
    try:
        with followed(tree, [step for at, step in enumerate(RECIPE.steps) if at != number]):
            assert complaints(tree, RECIPE) != ""
    except CommandFailed:
        pass


def test_it_changes_three_files_of_the_product() -> None:
    assert RECIPE.steps and RECIPE.checks
    assert len(RECIPE.product_files()) <= MAX_PRODUCT_FILES
