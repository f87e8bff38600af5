"""The recipe of an aggregate, followed on a copy of the tree; and what the registry of aggregates must have."""

import tomllib
from pathlib import Path

import pytest

from domain.aggregates import AGGREGATES
from tests.rigs.recipes import CommandFailed, Recipe, complaints, copy_of_the_tree, followed
from tests.rigs.running import ROOT

RECIPE = Recipe("add-an-aggregate.md")
MAX_PRODUCT_FILES = 4

FOLDERS = {decider.state_type.__module__.split(".")[1] for decider in AGGREGATES.values()}
"""The folders of domain that hold an aggregate that is registered."""


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


def test_every_folder_with_a_decider_is_registered() -> None:
    with_decider = {
        file.parent.name for file in (ROOT / "domain").glob("*/*.py") if " = Decider(\n" in file.read_text()
    }
    assert with_decider == FOLDERS


def test_the_contract_of_siblings_names_every_aggregate() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (siblings,) = [contract["modules"] for contract in contracts if contract.get("id") == "domain-siblings"]
    assert set(siblings) == {f"domain.{folder}" for folder in FOLDERS}
