"""Four recipes, followed on a copy of the tree: whole their checks pass, without any one step a check turns red."""

from pathlib import Path

import pytest

from tests.rigs.recipes import Recipe, complaints, copy_of_the_tree, followed

RECIPES = [
    Recipe("add-an-error.md"),
    Recipe("add-a-setting.md"),
    Recipe("add-a-provider.md"),
    Recipe("add-a-dialect.md"),
]
FORGOTTEN = [(recipe, number) for recipe in RECIPES for number in range(len(recipe.steps))]
MAX_PRODUCT_FILES = {"add-a-dialect.md": 3}
"""1 for each other."""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_of_the_tree(tmp_path_factory.mktemp("recipes"))


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.page)
def test_whoever_follows_it_whole_is_done(tree: Path, recipe: Recipe) -> None:
    with followed(tree, recipe.steps):
        assert complaints(tree, recipe) == ""


@pytest.mark.parametrize(("recipe", "number"), FORGOTTEN, ids=[f"{recipe.page}-{n + 1}" for recipe, n in FORGOTTEN])
def test_a_step_that_is_left_out_is_seen(tree: Path, recipe: Recipe, number: int) -> None:
    with followed(tree, [step for at, step in enumerate(recipe.steps) if at != number]):
        assert complaints(tree, recipe) != ""


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.page)
def test_it_changes_few_files_of_the_product(recipe: Recipe) -> None:
    assert recipe.steps and recipe.checks
    assert len(recipe.product_files()) <= MAX_PRODUCT_FILES.get(recipe.page, 1)
