"""Each recipe of docs/how-to, followed on a copy of the tree: whole its checks pass, without any one step one fails."""

from pathlib import Path

import pytest

from tests.rigs.recipes import CommandFailed, Recipe, complaints, copy_of_the_tree, followed
from tests.rigs.running import ROOT

MAX_PRODUCT_FILES = {
    "add-a-dialect.md": 3,
    "add-a-projection.md": 3,
    "add-a-provider.md": 1,
    "add-a-setting.md": 1,
    "add-a-use-case.md": 3,
    "add-an-aggregate.md": 4,
    "add-an-error.md": 1,
    "add-an-event-version.md": 2,
}
"""Of the product that a recipe changes, besides the files that it adds."""

RECIPES = [Recipe(page) for page in MAX_PRODUCT_FILES]
FORGOTTEN = [(recipe, number) for recipe in RECIPES for number in range(len(recipe.steps))]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_of_the_tree(tmp_path_factory.mktemp("recipes"))


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.page)
def test_followed_whole_nothing_is_missing(tree: Path, recipe: Recipe) -> None:
    with followed(tree, recipe.steps):
        assert complaints(tree, recipe) == ""


@pytest.mark.parametrize(("recipe", "number"), FORGOTTEN, ids=[f"{recipe.page}-{n + 1}" for recipe, n in FORGOTTEN])
def test_a_step_that_is_left_out_is_noticed(tree: Path, recipe: Recipe, number: int) -> None:
    """By a check, or because the command of a later step fails."""
    try:
        with followed(tree, [step for at, step in enumerate(recipe.steps) if at != number]):
            assert complaints(tree, recipe) != ""
    except CommandFailed:
        pass


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.page)
def test_it_changes_few_files_of_the_product(recipe: Recipe) -> None:
    assert recipe.steps and recipe.checks
    assert 0 < len(recipe.product_files()) <= MAX_PRODUCT_FILES[recipe.page]


def test_every_page_with_steps_is_followed() -> None:
    with_steps = {page.name for page in (ROOT / "docs/how-to").glob("*.md") if Recipe(page.name).steps}
    assert with_steps == MAX_PRODUCT_FILES.keys()
