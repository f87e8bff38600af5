"""Use cases are put together in application/use_cases.py and nowhere else."""

import ast
import re
from pathlib import Path
from typing import Any

import pytest

from application.use_cases import UseCases, use_cases
from application.write import Ports

ROOT = Path(__file__).parents[2]
ASSEMBLY = ROOT / "application/use_cases.py"

PARTS = {
    "CallProviders",
    "CheckLargeBody",
    "CompleteChat",
    "MeterAnswer",
    "ReplayAnswer",
    "ReserveCredit",
    "SettleCharge",
}
PARTS |= {"StreamChat", "expire_due"}
"""Besides the functions that UseCases holds: those have its names."""


def product_files() -> list[Path]:
    return [path for top in ("domain", "application", "projections", "adapters") for path in (ROOT / top).rglob("*.py")]


def calls(path: Path) -> set[str]:
    """Plain names that are called, or handed to `partial`."""
    found = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    names = {call.func.id for call in found if isinstance(call.func, ast.Name)}
    partials = [call for call in found if isinstance(call.func, ast.Name) and call.func.id == "partial" and call.args]
    return names | {part.args[0].id for part in partials if isinstance(part.args[0], ast.Name)}


def imported(path: Path) -> set[str]:
    """Names that come from application."""
    found = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)]
    return {
        name.asname or name.name for one in found if (one.module or "").startswith("application.") for name in one.names
    }


def test_nothing_else_makes_or_calls_a_use_case() -> None:
    made = PARTS | set(UseCases.__struct_fields__)
    outside = [path for path in product_files() if path != ASSEMBLY and not path.is_relative_to(ROOT / "application")]
    assert {
        str(path.relative_to(ROOT)): both for path in outside if (both := made & calls(path) & imported(path))
    } == {}


def test_every_use_case_that_there_is_can_be_had() -> None:
    """A file in a folder named by a noun holds one whose first argument is Ports; it has a field here."""
    defined = {
        name
        for noun in ("accounts", "credit", "keys")
        for path in (ROOT / "application" / noun).glob("*.py")
        for name in re.findall(rf"^async def ({path.stem})\(\s*ports: Ports", path.read_text(), re.MULTILINE)
    }
    assert defined == set(UseCases.__struct_fields__)


ONLY_HTTP = {"change_key", "show_key"}
ONLY_COMMAND_LINE = {"find_account", "find_key"}
"""Why: a patch has halves that options cannot tell apart, and the command line lists keys; it takes names, where HTTP
takes ids alone."""


@pytest.mark.parametrize(("surface", "others"), [("http", ONLY_COMMAND_LINE), ("cli", ONLY_HTTP)])
def test_each_can_be_reached(surface: str, others: set[str]) -> None:
    sources = [path.read_text() for path in (ROOT / "adapters/inbound" / surface).rglob("*.py")]
    reached = {name for source in sources for name in re.findall(r"\b(?:use_cases|uses)\.([a-z_]+)\b", source)}
    assert set(UseCases.__struct_fields__) - reached == others


def test_they_can_be_put_together() -> None:
    parts: list[Any] = [object()] * len(Ports._fields)
    assert callable(use_cases(Ports(*parts)).grant_credit)


@pytest.mark.parametrize("rig", ["tests/adapters/http/house.py", "tests/golden/logs/gateway.py"])
def test_tests_use_the_same_assembly(rig: str) -> None:
    assert {"use_cases", "inference"} <= calls(ROOT / rig)
    assert not PARTS & calls(ROOT / rig)
