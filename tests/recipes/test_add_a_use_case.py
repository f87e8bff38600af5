"""The recipe of a use case, followed on a copy of the tree: whole its checks pass, without a step a check fails."""

from pathlib import Path

import pytest

from tests.rigs.recipes import CommandFailed, Recipe, complaints, copy_of_the_tree, followed

RECIPE = Recipe("add-a-use-case.md")
MAX_PRODUCT_FILES = 3


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_of_the_tree(tmp_path_factory.mktemp("recipe"))


def test_followed_whole_nothing_is_missing(tree: Path) -> None:
    with followed(tree, RECIPE.steps):
        assert complaints(tree, RECIPE) == ""


@pytest.mark.parametrize("number", range(len(RECIPE.steps)))
def test_a_step_that_is_left_out_is_seen(tree: Path, number: int) -> None:
    try:
        with followed(tree, [step for at, step in enumerate(RECIPE.steps) if at != number]):
            assert complaints(tree, RECIPE) != ""
    except CommandFailed:
        return  # a later step of the recipe itself could not be done


def test_it_changes_few_files_of_the_product() -> None:
    assert RECIPE.steps and RECIPE.checks
    assert len(RECIPE.product_files()) <= MAX_PRODUCT_FILES
