"""Every aggregate is registered, and independent of the others."""

import tomllib

from domain.aggregates import AGGREGATES
from tests.rigs.running import ROOT

FOLDERS = {decider.state_type.__module__.split(".")[1] for decider in AGGREGATES.values()}
"""The folders of domain that hold an aggregate that is registered."""


def test_every_folder_with_a_decider_is_registered() -> None:
    with_decider = {
        file.parent.name for file in (ROOT / "domain").glob("*/*.py") if " = Decider(\n" in file.read_text()
    }
    assert with_decider == FOLDERS


def test_the_contract_of_siblings_names_every_aggregate() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (siblings,) = [contract["modules"] for contract in contracts if contract.get("id") == "domain-siblings"]
    assert set(siblings) == {f"domain.{folder}" for folder in FOLDERS}
